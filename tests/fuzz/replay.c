/* In libFuzzer's place: runs a fuzzer on the files given, and on those of the folders given. */
#include <dirent.h>
#include <stdio.h>

#include "fuzz.h"

/* False if it cannot be read, as a folder. */
static bool replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    size_t size = 0, room = 1 << 16;
    uint8_t *data = malloc(room), *exact;
    while (data && (size += fread(data + size, 1, room - size, file)) == room)
        data = realloc(data, room *= 2);
    bool whole = !ferror(file);
    fclose(file);
    exact = data ? realloc(data, size ? size : 1) : NULL; /* so that a sanitizer sees its end */
    MUST(exact);
    if (whole)
        LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return whole;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        int before = count;
        if (!folder)
            count += replay(argv[i]);
        for (struct dirent *entry; folder && (entry = readdir(folder));) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            if (entry->d_name[0] != '.')
                count += replay(path);
        }
        if (folder)
            closedir(folder);
        if (count == before) {
            dprintf(2, "%s: nothing to replay\n", argv[i]);
            return EXIT_FAILURE;
        }
    }
    dprintf(1, "%d inputs\n", count);
    return count ? EXIT_SUCCESS : EXIT_FAILURE;
}
