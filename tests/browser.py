"""Pages in Debian's Chromium, without a screen."""

import re
import shutil
import subprocess

CHROMIUM = shutil.which("chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--enable-logging=stderr", "--v=0"]


def browse(page, folder, *options):
    """What the browser printed, and what it complained of."""
    assert CHROMIUM, "Debian's chromium is needed"
    result = subprocess.run([CHROMIUM, *FLAGS, f"--user-data-dir={folder}", *options, page.as_uri()],
                            capture_output=True, timeout=60, check=True)
    return result.stdout.decode(), [row for row in result.stderr.decode().splitlines() if "CONSOLE" in row]


def ask(page, folder, script, width=1100):
    """The value of a piece of JavaScript, in which `page` is the document, shown in a frame of that width."""
    frame = folder / "frame.html"
    frame.write_text(f"""<iframe id=f width={width} height=800 src="{page.as_uri()}"></iframe><p id=o></p><script>
        f.onload = () => {{ const page = f.contentDocument; o.textContent = (() => {{ {script} }})() }}
        </script>""")
    dom, console = browse(frame, folder / "profile", "--allow-file-access-from-files", "--virtual-time-budget=5000", "--dump-dom")
    assert console == []
    return re.search(r'<p id="o">(.*?)</p>', dom, flags=re.S)[1]


def without_data(source):
    """A page's text without what pictures, names and embedded results may contain."""
    return re.sub(r'<script type.*?</script>|"data:[^"]*"|<(figcaption|td|p|li|pre)[ >].*?(?=<)', "", source, flags=re.S)
