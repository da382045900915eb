"""Draws the pictures of the demo activities anew: `python -m registrations.demo_pictures.draw`.

Flat shapes on a sheet of 800 × 500, drawn at twice the size so that their edges become smooth.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from pathlib import Path

from PIL import Image, ImageDraw

HERE = Path(__file__).parent
WIDTH, HEIGHT, TIMES = 800, 500, 2
QUALITY = 82
Point = tuple[float, float]
INK, WHITE, CREAM = "#2b2a33", "#ffffff", "#fdf6e9"


class Sheet:
    """A sheet with its ground, a glow behind the things, and the table they stand on. Lengths as on the picture."""

    def __init__(self, ground: str, glow: str, table: str) -> None:
        self.image = Image.new("RGB", (WIDTH * TIMES, HEIGHT * TIMES), ground)
        self.pen = ImageDraw.Draw(self.image)
        self.oval(400, 250, 215, 215, glow)
        self.box(0, 405, WIDTH, HEIGHT, table)

    def box(self, left: float, top: float, right: float, bottom: float, fill: str, *, corner: float = 0) -> None:
        self.pen.rounded_rectangle(_scaled(left, top, right, bottom), corner * TIMES, fill=fill)

    def oval(self, x: float, y: float, wide: float, high: float, fill: str) -> None:
        """`wide`, `high`: from its middle."""
        self.pen.ellipse(_scaled(x - wide, y - high, x + wide, y + high), fill=fill)

    def half(self, x: float, y: float, wide: float, high: float, fill: str, *, is_upper: bool = False) -> None:
        """Half an oval: a bowl; the upper one: a vault."""
        begin = 180 if is_upper else 0
        self.pen.pieslice(_scaled(x - wide, y - high, x + wide, y + high), begin, begin + 180, fill=fill)

    def arc(self, x: float, y: float, wide: float, high: float, fill: str, *, width: float, is_upper: bool) -> None:
        """The edge of half an oval: a handle, a rope."""
        begin = 180 if is_upper else 0
        box = _scaled(x - wide, y - high, x + wide, y + high)
        self.pen.arc(box, begin, begin + 180, fill=fill, width=round(width * TIMES))

    def shape(self, points: Sequence[Point], fill: str) -> None:
        self.pen.polygon([(x * TIMES, y * TIMES) for x, y in points], fill=fill)

    def line(self, points: Sequence[Point], fill: str, *, width: float) -> None:
        self.pen.line([(x * TIMES, y * TIMES) for x, y in points], fill, round(width * TIMES), joint="curve")

    def finished(self) -> Image.Image:
        return self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def _scaled(*lengths: float) -> list[float]:
    return [each * TIMES for each in lengths]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn, and the colours of the sheet before."""

    draw: Callable[[Sheet], None]
    ground: str
    glow: str
    table: str


def _bowl(sheet: Sheet) -> None:
    """A bowl on the wheel, still wet."""
    sheet.box(300, 372, 500, 405, "#7d5a46", corner=8)
    sheet.oval(400, 372, 165, 26, "#6b4b3a")
    sheet.oval(400, 366, 165, 26, "#8d6a55")
    sheet.box(345, 330, 455, 366, "#c4714a", corner=10)
    sheet.half(400, 215, 150, 150, "#d98356")
    for number, colour in enumerate(("#c4714a", "#e39b72")):
        sheet.arc(400, 228 + 34 * number, 138 - 18 * number, 92, colour, width=7, is_upper=False)
    sheet.oval(400, 215, 150, 34, "#e8a57e")
    sheet.oval(400, 219, 128, 25, "#a85a38")
    for x, tone in ((150, "#8fae9b"), (660, "#d7b15e")):
        sheet.half(x, 350, 62, 58, tone)
        sheet.oval(x, 350, 62, 13, "#f4ead8")


def _first_aid(sheet: Sheet) -> None:
    """The box, a roll of bandage, a plaster."""
    sheet.arc(400, 160, 62, 52, "#1d5a3e", width=18, is_upper=True)
    sheet.box(235, 155, 565, 400, "#2f8f63", corner=26)
    sheet.box(235, 255, 565, 270, "#237250")
    sheet.oval(400, 265, 84, 84, CREAM)
    sheet.box(381, 210, 419, 320, "#2f8f63", corner=5)
    sheet.box(345, 246, 455, 284, "#2f8f63", corner=5)
    sheet.oval(150, 360, 58, 58, CREAM)
    sheet.oval(150, 360, 38, 38, "#e6dcc8")
    sheet.oval(150, 360, 18, 18, "#c9bda4")
    sheet.box(150, 400, 236, 418, CREAM, corner=4)
    sheet.box(620, 350, 740, 396, "#eab68d", corner=23)
    sheet.box(655, 350, 705, 396, "#f6d3b5")
    for number in range(6):
        sheet.oval(667 + 13 * (number % 3), 364 + 18 * (number // 3), 3, 3, "#d99b6c")


def _singers(sheet: Sheet) -> None:
    """Three who sing, and what they sing."""
    people = ((245, "#2f5d7c", "#8a5a3c"), (400, "#b8474b", "#e9b893"), (555, "#4d7a57", "#c98f66"))
    for x, coat, skin in people:
        sheet.half(x, 420, 84, 150, coat, is_upper=True)
        sheet.shape([(x - 26, 286), (x + 26, 286), (x, 326)], CREAM)
        sheet.oval(x, 232, 46, 52, skin)
        sheet.half(x, 214, 48, 46, INK, is_upper=True)
        sheet.oval(x, 256, 11, 14, "#6d2430")
        for eye in (-17, 17):
            sheet.arc(x + eye, 232, 7, 6, INK, width=3, is_upper=True)
        sheet.box(x - 52, 352, x + 52, 408, CREAM, corner=4)
        sheet.line([(x, 352), (x, 408)], "#d8cbb4", width=4)
    sheet.box(0, 405, WIDTH, HEIGHT, "#3d3550")
    for x, y in ((140, 150), (320, 90), (480, 130), (660, 95)):
        sheet.oval(x, y, 17, 13, "#f4c95d")
        sheet.line([(x + 15, y), (x + 15, y - 62), (x + 42, y - 46)], "#f4c95d", width=7)


def _open_door(sheet: Sheet) -> None:
    """The workshop in the evening, its door wide open."""
    sheet.box(190, 150, 610, 405, "#efe1c6")
    sheet.shape([(165, 155), (400, 55), (635, 155)], "#b4553e")
    sheet.box(340, 220, 460, 405, "#ffd98a")
    sheet.shape([(460, 220), (515, 245), (515, 425), (460, 405)], "#8a5a3c")
    sheet.shape([(340, 220), (285, 245), (285, 425), (340, 405)], "#8a5a3c")
    sheet.shape([(340, 405), (460, 405), (540, 500), (260, 500)], "#f6c766")
    for x in (215, 540):
        sheet.box(x, 220, x + 46, 290, "#ffd98a", corner=4)
        sheet.line([(x + 23, 220), (x + 23, 290)], "#b4553e", width=4)
    sheet.half(400, 330, 26, 24, "#c4714a")
    sheet.box(370, 330, 430, 338, "#a85a38", corner=4)
    colours = ("#c8323c", "#f4c95d", "#2f8f83", "#e8a57e", "#5b6fb5")
    for number in range(11):
        x, y = 20 + 76 * number, 40 + 34 * sin(pi * (number % 5) / 4)
        sheet.shape([(x - 24, y), (x + 24, y), (x, y + 44)], colours[number % len(colours)])


def _kiln(sheet: Sheet) -> None:
    """Fire behind the bricks, at night."""
    for number in range(22):
        sheet.oval(37 * number % WIDTH, 20 + 53 * number % 190, 2.5, 2.5, "#f3e3b3")
    sheet.half(400, 405, 270, 270, "#8c4a36", is_upper=True)
    for ring in (210, 255):
        for number in range(1, 12):
            angle = pi * number / 12
            points = [(400 - far * cos(angle), 405 - far * sin(angle)) for far in (ring + 14, ring - 28)]
            sheet.line(points, "#6d3627", width=4)
    sheet.half(400, 405, 180, 180, "#31161a", is_upper=True)
    flames = (("#e2572b", 150, 130), ("#f28c38", 112, 105), ("#ffd166", 66, 76))
    for colour, wide, high in flames:
        steps = [(400 - wide + wide * n / 4, 405 - high * (1.0 if n % 2 else 0.55)) for n in range(1, 8)]
        sheet.shape([(400 - wide, 405), *steps, (400 + wide, 405)], colour)
    sheet.box(515, 120, 575, 240, "#7c4030")
    sheet.box(505, 105, 585, 125, "#6d3627", corner=4)
    for number, size in enumerate((16, 22, 30)):
        sheet.oval(560 + 26 * number, 82 - 22 * number, size, size * 0.8, "#4b4560")


def _basket(sheet: Sheet) -> None:
    """Woven, with what was picked on the way."""
    sheet.arc(400, 250, 140, 175, "#9a6b3f", width=20, is_upper=True)
    for x, y, tone in ((325, 225, "#c8323c"), (395, 208, "#d9a441"), (470, 226, "#7da453"), (425, 240, "#c8323c")):
        sheet.oval(x, y, 44, 42, tone)
        sheet.line([(x, y - 38), (x + 8, y - 56)], "#5a4027", width=5)
    sheet.shape([(225, 245), (575, 245), (530, 405), (270, 405)], "#c79355")
    for row in range(5):
        for column in range(12):
            left, top = 240 + row * 8 + column * (320 - row * 16) / 12, 268 + row * 28
            if (row + column) % 2:
                sheet.box(left, top, left + (320 - row * 16) / 12 - 4, top + 20, "#a97638", corner=6)
    sheet.box(210, 232, 590, 262, "#9a6b3f", corner=15)
    for number in range(16):
        left = 222 + 23 * number
        sheet.line([(left, 260), (left + 16, 234)], "#c79355", width=5)


def _notebook(sheet: Sheet) -> None:
    """Sewn by hand, with needle and thread."""
    sheet.shape([(235, 150), (515, 110), (565, 370), (285, 410)], "#efe5d2")
    sheet.shape([(225, 135), (505, 95), (555, 355), (275, 395)], "#2f5d7c")
    sheet.shape([(225, 135), (268, 129), (318, 389), (275, 395)], "#23465e")
    for number in range(6):
        x, y = 252 + 9 * number, 160 + 42 * number
        sheet.line([(x, y), (x + 4, y + 22)], "#f4c95d", width=6)
    sheet.shape([(345, 190), (470, 172), (478, 214), (353, 232)], CREAM)
    sheet.line([(365, 216), (458, 202)], "#b9a98a", width=5)
    thread = [(297, 392), (380, 440), (500, 420), (590, 440), (650, 330)]
    sheet.line(thread, "#f4c95d", width=5)
    sheet.line([(640, 350), (705, 190)], "#8f98a3", width=8)
    sheet.oval(702, 198, 4, 9, "#e8ecef")
    sheet.oval(130, 385, 52, 20, "#d98356")
    sheet.box(92, 300, 168, 385, "#f4c95d", corner=6)
    sheet.oval(130, 300, 52, 20, "#d98356")


def _watercolour(sheet: Sheet) -> None:
    """Hills and water on paper, the colours beside it."""
    sheet.box(170, 70, 580, 370, WHITE, corner=6)
    sheet.box(190, 90, 560, 350, "#d9ecf4")
    sheet.oval(480, 150, 36, 36, "#f7d98b")
    sheet.half(320, 275, 130, 105, "#a7c7a1", is_upper=True)
    sheet.half(450, 275, 130, 75, "#7fae93", is_upper=True)
    sheet.box(190, 272, 560, 350, "#8fc1d9")
    for number in range(5):
        left = 215 + 62 * number
        sheet.line([(left, 292 + 11 * (number % 3)), (left + 58, 292 + 11 * (number % 3))], "#c6e2ee", width=6)
    sheet.box(560, 90, 580, 350, WHITE)
    sheet.box(190, 392, 560, 452, INK, corner=12)
    for number, tone in enumerate(("#c8323c", "#f4a03f", "#f7d95b", "#4d9a63", "#3b7fb8", "#6a4c93")):
        sheet.oval(222 + 61 * number, 422, 22, 20, tone)
    sheet.line([(600, 420), (720, 150)], "#b9784a", width=16)
    sheet.shape([(592, 412), (610, 420), (580, 462)], "#3b7fb8")
    sheet.line([(604, 410), (616, 383)], "#aab3bb", width=18)


SCENES = {
    "bowl": Scene(_bowl, "#f2d9b8", "#f9ead2", "#a9744f"),
    "first-aid": Scene(_first_aid, "#cfe3e2", "#e3f0ee", "#87a9a6"),
    "singers": Scene(_singers, "#57497a", "#6c5d92", "#3d3550"),
    "open-door": Scene(_open_door, "#31486b", "#46608a", "#5b6d58"),
    "kiln": Scene(_kiln, "#1f2238", "#2c2f4c", "#3a2a2c"),
    "basket": Scene(_basket, "#dbe6c4", "#eaf1da", "#94a86b"),
    "notebook": Scene(_notebook, "#e9cfc4", "#f5e4dc", "#b98876"),
    "watercolour": Scene(_watercolour, "#f3e7d3", "#faf3e6", "#c9a67c"),
}


def main() -> None:
    """Write all of them beside this file."""
    for name, scene in SCENES.items():
        sheet = Sheet(scene.ground, scene.glow, scene.table)
        scene.draw(sheet)
        sheet.finished().save(HERE / f"{name}.webp", "WEBP", quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
