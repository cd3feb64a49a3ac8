/* The program libexec/scarlet/scarlet-NAME of one subcommand. */
#include "nas.h"

#include "common/message.h"

int main(int argc, char **argv)
{
    return cli_finish(cli_nas.run(&cli_nas, argc, argv));
}
