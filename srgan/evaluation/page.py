"""One self-contained HTML page: the scores, and crops side by side."""

import base64
import io
from collections.abc import Sequence
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
:root { color-scheme: light dark; --line: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 3rem 0 .5rem; }
h3 { font-size: 1rem; margin: 2rem 0 .5rem; } h3 small { font-weight: normal; opacity: .7; }
p { max-width: 45rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child { text-align: left; position: sticky; left: 0; background: Canvas; }
tbody th { font-weight: normal; } .best { font-weight: 700; }
.crops { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); }
figure { margin: 0; }
img { width: 100%; aspect-ratio: var(--shape); image-rendering: pixelated; display: block; }
figcaption { font-size: .875rem; line-height: 1.3; margin-top: .25rem; overflow-wrap: anywhere; }
figcaption span { opacity: .7; display: block; font-variant-numeric: tabular-nums; }
@media (max-width: 34rem) {
  .crops { grid-template-columns: 1fr 1fr; gap: .5rem; }
  th, td { padding: .3rem .4rem; font-size: .875rem; }
  th { white-space: normal; }
  th:first-child { min-width: 6.5rem; overflow-wrap: anywhere; }
}
"""

_INTRODUCTION = """Arrows say whether higher or lower is better; the best of a column is bold. Below
each table are the places on which the models disagree most, in pixels of the result; the figures
under a crop are of its whole picture."""


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
    """Return a picture as an address that holds it whole: WebP without loss."""
    file = io.BytesIO()
    Image.fromarray(pixels.numpy()).save(file, "WEBP", lossless=True)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()


def _best(scores: Sequence[SetScore], measure: Measure) -> str | None:
    """Return how the best mean of a column is written; None where there is no competition."""
    written = [figure(score.mean(measure.name), measure.decimals) for score in scores]
    known = [text for text in written if text != "-"]
    if len(known) < 2:
        return None
    return (max if measure.higher_is_better else min)(known, key=float)


def _table(scores: Sequence[SetScore], measures: Sequence[Measure]) -> str:
    titles = [f"{m.title} {'↑' if m.higher_is_better else '↓'}" for m in measures]
    head = "".join(f"<th>{escape(title)}</th>" for title in ("model", *titles, "s/picture"))
    best = {measure.name: _best(scores, measure) for measure in measures}
    rows = []
    for score in scores:
        cells = [f"<th>{escape(score.model)}</th>"]
        for measure in measures:
            text = figure(score.mean(measure.name), measure.decimals)
            mark = ' class="best"' if text == best[measure.name] else ""
            cells.append(f"<td{mark}>{text}</td>")
        cells.append(f"<td>{score.seconds_per_picture:.3f}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        + "".join(f"<p>{escape(note)}</p>" for note in notes(scores, measures))
    )


def _caption(score: SetScore, picture: str, measures: Sequence[Measure]) -> str:
    """Return a line on one picture of a model: how true it is, and how it looks."""
    values = next(each.values for each in score.pictures if each.picture == picture)
    shown = [m for m in measures if m.name in ("psnr_y", "st_lpips")] or measures
    return " · ".join(f"{m.title} {figure(values[m.name], m.decimals)}" for m in shown)


def _crop(crop: Crop, scores: Sequence[SetScore], measures: Sequence[Measure]) -> str:
    captions = {score.model: _caption(score, crop.picture, measures) for score in scores}
    figures = []
    for title, pixels in crop.versions.items():
        height, width = pixels.shape[:2]
        figures.append(
            f'<figure><img src="{_picture(pixels)}" alt="{escape(title)}" '
            f'style="--shape: {width}/{height}"><figcaption>{escape(title)}'
            f"<span>{escape(captions.get(title, ''))}</span></figcaption></figure>"
        )
    place = f"{crop.left} from the left, {crop.top} from the top"
    return (
        f"<h3>{escape(crop.picture)} <small>{place}</small></h3>"
        f'<div class="crops">{"".join(figures)}</div>'
    )


def _section(section: Section, measures: Sequence[Measure]) -> str:
    first = section.scores[0]
    count = len(first.pictures)
    pictures = "1 picture" if count == 1 else f"{count} pictures"
    crops = "".join(_crop(crop, section.scores, measures) for crop in section.crops)
    return (
        f"<h2>{escape(first.set)}, {first.scale} times larger, {pictures}</h2>"
        f"{_table(section.scores, measures)}{crops}"
    )


def render_page(sections: Sequence[Section], measures: Sequence[Measure]) -> str:
    """Return the page as HTML that needs no other file and runs no script."""
    body = "\n".join(_section(section, measures) for section in sections)
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
<p>{_INTRODUCTION}</p>
{body}
</body>
</html>
"""
