"""Draws pictures in a grid, each with its label and probability.

    contact_sheet.py MODEL OUTPUT.png PICTURE...
"""

import sys

import scarlet
from PIL import Image, ImageDraw, ImageFont

COLUMNS, SIDE, TEXT, GAP = 5, 140, 44, 16
FONT = "DejaVuSans.ttf"  # Debian package fonts-dejavu-core


def main(model_path, output, *paths):
    rows = -(-len(paths) // COLUMNS)
    sheet = Image.new("RGB", (GAP + COLUMNS * (SIDE + GAP), GAP + rows * (SIDE + TEXT + GAP)), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(FONT, 15)
    with scarlet.Model(model_path) as model, scarlet.Session(model) as session:
        for i, path in enumerate(paths):
            best = session.classify(path, k=1)[0]
            x, y = GAP + i % COLUMNS * (SIDE + GAP), GAP + i // COLUMNS * (SIDE + TEXT + GAP)
            sheet.paste(Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.BICUBIC), (x, y))
            draw.text((x, y + SIDE + 4), best.label, "black", font)
            draw.text((x, y + SIDE + 23), f"{100 * best.score:.1f} %", "#666666", font)
    sheet.save(output)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
