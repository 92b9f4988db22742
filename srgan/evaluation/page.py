"""One self-contained HTML page: the scores, and crops side by side."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from PIL import Image
from torch import Tensor

from srgan.evaluation.crops import Crop
from srgan.evaluation.measures import Measure
from srgan.evaluation.scores import SetScore
from srgan.evaluation.table import figure, notes

__all__ = ["Section", "render_page"]

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: Canvas; }
td.best { font-weight: 700; }
.crops { display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fill, minmax(min(16rem, 45%), 1fr)); }
figure { margin: 0; }
img { width: 100%; image-rendering: pixelated; display: block; }
figcaption { font-size: .85rem; overflow-wrap: anywhere; }
figcaption span { opacity: .7; display: block; }
"""


@dataclass(frozen=True)
class Section:
    """What is shown of one set at one scale.

    Attributes:
        scores: of the models that have this scale.
        crops: places to look at.
    """

    scores: Sequence[SetScore]
    crops: Sequence[Crop]


def _picture(pixels: Tensor) -> str:
    """Return the address of a picture that holds the picture: WebP without loss."""
    file = io.BytesIO()
    Image.fromarray(pixels.numpy()).save(file, "WEBP", lossless=True)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()


def _best(scores: Sequence[SetScore], measure: Measure) -> str:
    """Return how the best mean of a column is written; nothing where there is no competition."""
    written = [
        text for score in scores
        if (text := figure(score.mean(measure.name), measure.decimals)) != "-"
    ]  # fmt: skip
    if len(scores) < 2 or not written:
        return ""
    return (max if measure.higher_is_better else min)(written, key=float)


def _table(scores: Sequence[SetScore], measures: Sequence[Measure]) -> str:
    arrows = [f"{m.title} {'↑' if m.higher_is_better else '↓'}" for m in measures]
    titles = "".join(f"<th>{escape(title)}</th>" for title in ("model", *arrows, "s/picture"))
    best = {measure.name: _best(scores, measure) for measure in measures}
    rows = []
    for score in scores:
        cells = [f"<td>{escape(score.model)}</td>"]
        for measure in measures:
            text = figure(score.mean(measure.name), measure.decimals)
            mark = ' class="best"' if text == best[measure.name] else ""
            cells.append(f"<td{mark}>{text}</td>")
        cells.append(f"<td>{score.seconds_per_picture:.3f}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    said = "".join(f"<p>{escape(note)}.</p>" for note in notes(scores, measures))
    return f'<div class="wide"><table><tr>{titles}</tr>{"".join(rows)}</table></div>{said}'


def _crop(crop: Crop, captions: Mapping[str, Mapping[str, str]]) -> str:
    figures = []
    for title, pixels in crop.versions.items():
        caption = captions.get(title, {}).get(crop.picture, "")
        figures.append(
            f'<figure><img src="{_picture(pixels)}" alt="{escape(title)}"><figcaption>'
            f"{escape(title)} <span>{escape(caption)}</span></figcaption></figure>"
        )
    place = f"{escape(crop.picture)}, {crop.left} from the left, {crop.top} from the top"
    return f'<h3>{place}</h3><div class="crops">{"".join(figures)}</div>'


def _captions(
    scores: Sequence[SetScore], measures: Sequence[Measure]
) -> dict[str, dict[str, str]]:
    """Return for each model and picture a line on how true it is and how it looks."""
    shown = [m for m in measures if m.name in ("psnr_y", "st_lpips")] or measures
    return {
        score.model: {
            each.picture: ", ".join(
                f"{m.title} {figure(each.values[m.name], m.decimals)}" for m in shown
            )
            for each in score.pictures
        }
        for score in scores
    }


def _section(section: Section, measures: Sequence[Measure]) -> str:
    first = section.scores[0]
    captions = _captions(section.scores, measures)
    crops = "".join(_crop(crop, captions) for crop in section.crops)
    count = len(first.pictures)
    heading = f"{first.set}, enlarged {first.scale} times, {count} picture{'s' if count > 1 else ''}"
    return f"<h2>{escape(heading)}</h2>{_table(section.scores, measures)}{crops}"


def render_page(sections: Sequence[Section], measures: Sequence[Measure]) -> str:
    """Return the page as HTML that needs no other file and runs no script."""
    body = "".join(_section(section, measures) for section in sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Upscalers compared</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Upscalers compared</h1>
<p>Arrows say whether higher or lower is better; the best of a column is bold. Below each table are
the places on which the models disagree most, in pixels of the result; figures under a crop are of
its whole picture.</p>
{body}
</body>
</html>
"""
