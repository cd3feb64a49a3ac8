"""Writes seeds for the fuzzers of texts about spaces: seeds_spaces.py FOLDER makes FOLDER/{spaces,latency,search}."""

import os
import sys

WIDTHS = "stem=16 tail=128 layers=8:1,8:1,16:2"
SPACES = [f"space {WIDTHS}\nchoices {choices}\n{rest}" for choices in (
    "*,*|id,*", "e3k3,e3k3|e6k5se|id,e6k7", "id,id,e3k3", "id|id,id,e3k3", "*|e3k3,*,*", "*,*,id", "*,*", "*,*,*,*", "e4k3,*,*", "|,*,*", "", "*,*,*,",
    "*|*,*,*", "e3k5se|e3k5,let,*")
    for rest in ("", "input_size 28\nclasses 10\n")]  # fmt: skip
SPACES += ["", "\n", "# nothing\n", "space x\nchoices *\n", f"space {WIDTHS}\n", "choices *\n", f"space {WIDTHS}\nspace {WIDTHS}\nchoices *,*,*\n",
           f"# a\r\n\r\nspace {WIDTHS}\r\nchoices *,*,*", f"space {WIDTHS}\nchoices *,*,*\ninput_size 27\n", f"space {WIDTHS}\nchoices *,*,*\ninput_size 4098\n",
           f"space {WIDTHS}\nchoices *,*,*\nclasses 0\n", f"space {WIDTHS}\nchoices *,*,*\nclasses 1000001\n", f"space {WIDTHS}\nchoices *,*,*\nother 1\n",
           "space stem=4096 tail=16384 layers=" + ",".join(["4096:1"] * 64) + "\nchoices " + ",".join(["*"] * 64) + "\ninput_size 4096\nclasses 1000000\n"]  # fmt: skip

HEAD = f"# scarlet-latency 1\n# machine A CPU\n# isa avx2\n# space {WIDTHS}\n# choices e3k3,e3k3|id,e3k3|e6k5se\n# input_size 28\n# classes 10\n"
ROWS = "layer,choice,nanoseconds\nconstant,,1000\n0,e3k3,0\n1,e3k3,12\n1,id,0\n2,e3k3,0\n2,e6k5se,999999999999999\n"
TABLES = [HEAD + ROWS, HEAD + ROWS.replace("12", "1000000000000001"), HEAD + ROWS.replace("12", "-1"), HEAD + ROWS.replace("1,id", "1,let"), HEAD, ROWS,
          HEAD + ROWS + "3,e3k3,0\n", (HEAD + ROWS)[:-1], HEAD.replace("latency 1", "latency 2") + ROWS, HEAD.replace("e3k3,e3k3", "e3k3") + ROWS,
          "# scarlet-latency 1\n# space stem=2 tail=1 layers=1:1\n# choices e3k3\nlayer,choice,nanoseconds\nconstant,,1\n0,e3k3,0\n"]  # fmt: skip

TOP = '{"journal": "scarlet-search-1", "space": "space"}\n'
LINE = ('{"genotype": "e3k3,id", "cross_entropy": 0.25, "top1": null, "latency": 1e-3, "macs": 1000, "parameters": 99, '
        '"statistics": "00ff12345678abcd", "seed": 1}\n')
JOURNALS = ["", TOP, TOP + LINE, TOP + LINE + LINE.replace("0.25", "1e999").replace("id", "e6k5"), (TOP + LINE)[:-9], TOP + LINE + LINE, LINE, TOP + "{}\n",
            TOP + "x\n", TOP.replace("search-1", "search-2"), TOP.replace('"space"}', '"other"}'), TOP + LINE.replace("id", "\\ud800"), TOP + "\0\n",
            TOP + LINE.replace('"00ff12345678abcd"', "7"), TOP + LINE.replace("id", "i\\u0000"), "[]\n"]  # fmt: skip

if __name__ == "__main__":
    for kind, seeds in {"spaces": SPACES, "latency": TABLES, "search": JOURNALS}.items():
        os.makedirs(os.path.join(sys.argv[1], kind), exist_ok=True)
        for i, seed in enumerate(seeds):
            with open(f"{sys.argv[1]}/{kind}/{i:04}", "w") as f:
                f.write(seed)
