"""The commands `models ...`: weights of this machine.

Covers: parsing, calling, printing. Does not cover: any work (`transfer.store`, `transfer.pull`,
`transfer.inspect_model`, `transfer.paint_files`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipeline.tables import names

_DEVICE = click.option("--device", default="auto", show_default=True, help='"auto", "cpu" or "cuda:N".')
_DTYPE = click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
    default="auto",
    show_default=True,
    help="Number format; never float16 on a CPU.",
)


@click.group()
def models() -> None:
    """Add, download and check the weights of Stable Diffusion 1.5 that photos are transferred with.

    They lie in $GLINT_MODELS, else in ~/.local/share/glint/models. Only .safetensors files are read.
    """


@models.command("list")
def list_models() -> None:
    """Say which models there are, and which can be pulled."""
    from pipeline.transfer import store

    there = store.list_models()
    for record in there:
        click.echo(f"{record.name}: {record.kind}, {record.bytes / 2**30:.2f} GiB, {', '.join(record.dtypes)}")
        click.echo(f"    sha256 {record.sha256}")
        click.echo(f"    from {record.source}; licence: {record.licence}")
    if not there:
        click.echo(f"no models in {store.models_folder()}")
    known = [name for name in names("models") if name not in {record.name for record in there}]
    click.echo(f"can be pulled: {', '.join(known) or 'nothing more'}")


@models.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Name that specs use; default: the file's own.")
@click.option("--licence", help="Its licence, for the record.")
def add(file: Path, name: str | None, licence: str | None) -> None:
    """Copy FILE, one .safetensors file or a diffusers folder, into the models."""
    from pipeline.transfer import store

    record = store.add_model(file, name, licence or store.UNKNOWN_LICENCE)
    click.echo(f"added {record.name}: {record.kind}, sha256 {record.sha256}")


@models.command()
@click.argument("name")
@click.option("--accept-licence", is_flag=True, help="You have read the licence that the command shows, and accept it.")
def pull(name: str, accept_licence: bool) -> None:
    """Download the known model NAME from the Hugging Face hub.

    Shows its licence, which must be accepted, checks its SHA-256 and records both.
    """
    from pipeline.transfer.pull import known_model
    from pipeline.transfer.pull import pull as pull_model

    if accept_licence:
        for line in known_model(name).lines():
            click.echo(line, err=True)
    record = pull_model(name, accept_licence)
    click.echo(f"added {record.name}: {record.kind}, sha256 {record.sha256}")


@models.command()
@click.argument("name")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="Write the test image there: .png.")
@_DEVICE
@_DTYPE
def check(name: str, picture: Path | None, **machine: Any) -> None:
    """Check model NAME: what it is, SHA-256 against its record, types of numbers, and what its kind allows.

    A checkpoint: name and shape of every tensor, and one test image. A ControlNet: name and shape of every tensor. A
    LoRA: that each layer it changes is one of the UNet or the text encoder, and of the same shape. An embedding: that
    its vectors are as long as the text encoder's.
    """
    from pipeline.transfer.place import need_libraries

    need_libraries()
    from pipeline.transfer.inspect_model import check_model

    for line in check_model(name, picture=picture, **machine):
        click.echo(f"ok      {line.what}: {line.found}")


@models.command()
@click.argument("name")
@click.argument("prompt")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the pictures.")
@click.option("--count", type=click.IntRange(min=1, max=10000), default=1, show_default=True, help="Pictures to paint.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the first; then one more.")
@click.option("--width", type=int, default=512, show_default=True, help="Pixels, a multiple of 64.")
@click.option("--height", type=int, default=512, show_default=True, help="Pixels, a multiple of 64.")
@click.option("--steps", type=int, default=25, show_default=True, help="UNet calls per picture.")
@click.option("--guidance", type=float, default=5.0, show_default=True, help="Classifier-free guidance scale.")
@click.option("--scheduler", default="dpmpp_2m_karras", show_default=True, help="Sampler; see docs/transfer.md.")
@click.option("--negative", "negative_prompt", help="Negative prompt instead of the usual one.")
@click.option("--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Pictures per network call.")
@_DEVICE
@_DTYPE
def paint(name: str, prompt: str, out: Path, count: int, seed: int, device: str, dtype: Any, **settings: Any) -> None:
    """Paint backdrops or surface plates with model NAME: PROMPT says what, "scratched steel bench, workshop".

    Writes OUT/paint-<seed>.png, and beside each a .json of what made it: prompt, seed, settings, weights and licence.
    """
    from pipeline.transfer.place import need_libraries

    need_libraries()
    from pipeline.transfer import store
    from pipeline.transfer.engine import open_engine
    from pipeline.transfer.load import ModelChoice
    from pipeline.transfer.paint_files import paint_files
    from pipeline.transfer.settings import PaintSettings

    chosen = PaintSettings(**{key: value for key, value in settings.items() if value is not None})
    engine = open_engine(ModelChoice(store.model_path(name, "sd15"), device=device, dtype=dtype))
    for path in paint_files(engine, store.model_record(name), prompt, count, seed, chosen, out):
        click.echo(str(path))
    for note in engine.notes:
        click.echo(note, err=True)
