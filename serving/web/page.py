"""The page: what stands where, and what happens when somebody touches it."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from serving.client import UpscaleFailed
from serving.codec.formats import ImageFormat
from serving.errors import ServingError
from serving.stop import Stop, Stopped
from serving.web import show
from serving.web.examples import Example
from serving.web.pictures import Pair
from serving.web.words import model_in_words, sentence_of
from serving.web.work import Done, Wish, Workshop

_CSS = Path(__file__).with_name("page.css")
_FONTS = ["system-ui", "sans-serif"]
_MAX_FILE = "256mb"  # what a server takes unless told otherwise

_AS_IT_CAME = "As the picture's"
_FORMATS = {_AS_IT_CAME: None, **{format.value.title: format for format in ImageFormat}}
_WELCOME = "Drop a picture, or take an example. The result appears here."
_NO_PICTURE = "There is no picture yet. Please drop one first."
# Uploads and results are looked through every so many seconds, and deleted at this age.
_SWEEP_S, _KEEP_S = 600, 3600
_VISITORS = 16  # at work at a time; further ones wait

_log = logging.getLogger(__name__)

Updates = dict[Any, Any]


class Page:
    """The parts that events read and change, and what they do to them.

    Args:
        workshop: does the work.
        examples: to begin with.
    """

    def __init__(self, workshop: Workshop, examples: Sequence[Example]) -> None:
        self._workshop = workshop
        self._examples = examples
        # Of the visitors, by their sessions, for whom work is under way.
        self._stops: dict[str | None, Stop] = {}
        with gr.Blocks(
            title="Enlarge a picture",
            analytics_enabled=False,
            delete_cache=(_SWEEP_S, _KEEP_S),
        ) as self.blocks:
            gr.HTML(
                "<h1>Enlarge a picture</h1>"
                "<p>A neural network makes it larger and sharper than interpolation can.</p>",
                elem_classes="head",
            )
            with gr.Row():
                with gr.Column(scale=2, min_width=300):
                    self._lay_out_wish()
                with gr.Column(scale=3, min_width=300):
                    self._lay_out_result()
            self._connect()
        self.blocks.queue(default_concurrency_limit=_VISITORS)

    def launch(self, host: str, port: int) -> str:
        """Serves the page from threads of its own; returns its address.

        Nothing is asked of, or told to, anybody else: neither statistics nor fonts nor scripts.

        Raises:
            OSError: the port is taken.
        """
        _, url, _ = self.blocks.launch(
            server_name=host,
            server_port=port,
            theme=gr.themes.Default(font=_FONTS, font_mono="monospace"),
            css_paths=_CSS,
            allowed_paths=[str(path) for example in self._examples for path in example.files],
            max_file_size=_MAX_FILE,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
        )
        return str(url)

    def _lay_out_wish(self) -> None:
        self.picture = gr.File(label="Picture", file_types=["image"], height=150, elem_id="picture")
        self.glance = gr.HTML(visible=False, elem_id="glance")
        self.examples = gr.Dataset(
            label="Examples",
            components=[gr.File(visible=False)],
            samples=[[str(example.picture)] for example in self._examples],
            sample_labels=[example.title for example in self._examples],
            type="index",
            visible=bool(self._examples),
            elem_id="examples",
        )
        self.model = gr.Dropdown(label="Model", choices=[], elem_id="model")
        self.format = gr.Dropdown(
            label="File format of the result", choices=[*_FORMATS], value=_AS_IT_CAME
        )
        with gr.Accordion("Measure against an original (PSNR)", open=False) as self.measure:
            self.original = gr.File(
                label="Original, of the result's size",
                file_types=["image"],
                height=130,
                elem_id="original",
            )
        self.start = gr.Button("Enlarge", variant="primary", elem_id="start")
        self.stop = gr.Button("Stop", variant="stop", visible=False, elem_id="stop")

    def _lay_out_result(self) -> None:
        self.status = gr.HTML(show.note(_WELCOME), elem_id="status")
        with gr.Column(visible=False) as self.result:
            self.slider = _slider("Bicubic on the left, the result on the right", "slider")
            self.middle = _slider("The middle of it at full size", "middle")
            self.facts = gr.HTML(padding=False, elem_id="facts")
            self.download = gr.DownloadButton("Download", variant="primary", elem_id="download")

    def _connect(self) -> None:
        private: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        self.blocks.load(self._load, None, [self.model, self.status], **private)
        self.picture.change(
            self._picked, self.picture, [self.glance, self.status, self.result], **private
        )
        self.examples.click(
            self._take, self.examples, [self.picture, self.original, self.measure], **private
        )
        shown = [self.result, self.slider, self.middle, self.facts, self.download]
        changing = [self.status, self.start, self.stop, *shown]
        wish = [self.picture, self.model, self.format, self.original]
        self.start.click(self._enlarge, wish, changing, **private)
        self.stop.click(self._stop, None, None, **private)

    def _load(self) -> Updates:
        try:
            listed = self._workshop.models()
        except UpscaleFailed as error:
            return {self.status: _said(show.failure(sentence_of(error)))}
        choices = [(model_in_words(model), model.name) for model in listed.models]
        return {self.model: gr.Dropdown(choices=choices, value=listed.default_model)}

    def _picked(self, picture: str | None) -> Updates:
        """A picture was dropped, or taken away; what was made of the one before goes."""
        cleared: Updates = {
            self.glance: gr.HTML(visible=False),
            self.status: _said(show.note(_WELCOME)),
            self.result: gr.Column(visible=False),
        }
        if picture is None:
            return cleared
        path = Path(picture)
        try:
            seen = show.glance(self._workshop.glance(path))
        except Exception as error:
            return cleared | {self.status: _said(show.failure(_explained(error)))}
        return cleared | {
            self.glance: gr.HTML(seen, visible=True),
            self.status: _said(show.note("Ready. Press Enlarge.")),
        }

    def _take(self, index: int) -> Updates:
        example = self._examples[index]
        original = str(example.original) if example.original else None
        return {
            self.picture: str(example.picture),
            self.original: original,
            self.measure: gr.Accordion(open=original is not None),
        }

    def _enlarge(
        self,
        picture: str | None,
        model: str | None,
        format: str,
        original: str | None,
        request: gr.Request,
    ) -> Iterator[Updates]:
        if picture is None:
            yield {self.status: _said(show.failure(_NO_PICTURE))}
            return
        wish = Wish(
            Path(picture), model or "", _FORMATS[format], Path(original) if original else None
        )
        yield {
            self.start: gr.Button(visible=False),
            self.stop: gr.Button(visible=True),
            self.result: gr.Column(visible=False),
        }
        stop = self._stops[request.session_hash] = Stop()
        try:
            for news in self._workshop.enlarge(wish, stop):
                if isinstance(news, Done):
                    yield self._idle("") | self._shown(news)
                else:
                    yield {self.status: _said(show.step(news))}
        except Stopped:
            yield self._idle(show.note("Stopped. Nothing was kept."))
        except Exception as error:
            yield self._idle(show.failure(_explained(error)))
        finally:
            del self._stops[request.session_hash]

    def _stop(self, request: gr.Request) -> None:
        if stop := self._stops.get(request.session_hash):
            stop.set()

    def _idle(self, status: str) -> Updates:
        return {
            self.status: _said(status),
            self.start: gr.Button(visible=True),
            self.stop: gr.Button(visible=False),
        }

    def _shown(self, done: Done) -> Updates:
        whole, middle = done.comparison.whole, done.comparison.middle
        return {
            self.result: gr.Column(visible=True),
            self.slider: _files(whole),
            self.middle: gr.ImageSlider(_files(middle) if middle else None, visible=bool(middle)),
            self.facts: show.facts(done),
            self.download: str(done.file),
        }


def _slider(label: str, name: str) -> gr.ImageSlider:
    return gr.ImageSlider(
        label=label, interactive=False, buttons=["fullscreen"], max_height=640, elem_id=name
    )


def _files(pair: Pair) -> tuple[str, str]:
    return str(pair.before), str(pair.after)


def _said(status: str) -> gr.HTML:
    return gr.HTML(status, visible=bool(status))


def _explained(error: Exception) -> str:
    """A sentence for the visitor; what nobody foresaw also goes to the log, without the picture."""
    if not isinstance(error, UpscaleFailed | ServingError):
        _log.exception("the page failed")
    return sentence_of(error)
