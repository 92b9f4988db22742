"""Pieces of the page that change: each a small part of HTML, safe whatever the words are."""

from base64 import b64encode
from html import escape
from math import isinf

from serving.rpc.numbers import FORMAT_OF_NUMBER
from serving.web.words import bytes_in_words, pixels_in_words, seconds_in_words
from serving.web.work import Done, Glance, Quality, Step

# Before that, what is left cannot be told from what is done.
_SOON_S = 2.0


def failure(sentence: str) -> str:
    """Why there is no result."""
    return f'<p class="failure" role="alert">{escape(sentence)}</p>'


def note(sentence: str) -> str:
    """A remark."""
    return f'<p class="note" role="status">{escape(sentence)}</p>'


def step(step: Step) -> str:
    """How far it is, as a bar and in words."""
    value = f' value="{step.rows_done / step.rows:.3f}"' if step.rows else ""
    return (
        f'<div class="step"><progress max="1"{value} aria-label="Progress"></progress>'
        f'<p role="status">{escape(_stage(step))}</p></div>'
    )


def _stage(step: Step) -> str:
    if not step.rows:
        return "Sending the picture ..."
    if step.rows_done == step.rows:
        return "Finishing ..."
    share = step.rows_done / step.rows
    told = f"Enlarging: {share:.0%}"
    if step.seconds < _SOON_S or not share:
        return told
    left = max(1, round(step.seconds * (1 - share) / share))
    return f"{told}, about {seconds_in_words(left)} left"


def glance(glance: Glance) -> str:
    """A small picture, its size and its format."""
    source = f"data:image/jpeg;base64,{b64encode(glance.thumbnail).decode()}"
    return (
        f'<figure class="glance"><img src="{source}" alt="The picture"><figcaption>'
        f"{pixels_in_words(glance.width, glance.height)}, {glance.format.value.title}"
        f"</figcaption></figure>"
    )


def facts(done: Done) -> str:
    """What came of it: size, file, model, time, and PSNR where it was measured."""
    before, after = done.response.input, done.response.output
    format = FORMAT_OF_NUMBER[after.format]
    rows = {
        "Size": f"{pixels_in_words(after.width, after.height)}, from "
        f"{pixels_in_words(before.width, before.height)}",
        "File": f"{format.value.title}, {bytes_in_words(done.file.stat().st_size)}",
        "Model": done.response.model.name,
        "Time": seconds_in_words(done.seconds),
    }
    if isinstance(done.quality, Quality):
        rows["PSNR"] = (
            f"{_decibels(done.quality.psnr)}; bicubic has {_decibels(done.quality.bicubic)}"
        )
    elif done.quality:
        rows["PSNR"] = done.quality
    if done.comparison.reduced_to:
        shown = pixels_in_words(*done.comparison.reduced_to)
        rows["Shown"] = f"reduced to {shown}, and the middle at full size; the file has all"
    told = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows.items())
    return f'<dl class="facts">{told}</dl>'


def _decibels(psnr: float) -> str:
    return "no difference" if isinf(psnr) else f"{psnr:.2f} dB"
