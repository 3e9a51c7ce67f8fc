"""`unrolled train transcribe`: from recordings to a saved `Transcriber`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli import options, options_transcribe
from unrolled.cli.options import given, option

EXAMPLES = (
    "unrolled train transcribe recordings/ --budget 15m --out hears.unrolled",
    "unrolled train transcribe clips.tsv --audio path --text sentence --skip",
    "unrolled train transcribe digits/ --pattern '{label}_{speaker}_{take}.wav' --apart speaker",
    "unrolled train transcribe data:fsdd-train --test data:fsdd-test --budget 2m",
)


def train_transcribe(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A folder of recordings (LibriSpeech, LJSpeech, Common Voice, AN4, a folder for"
            " each label, or a .txt beside each sound), a table of them (.csv, .tsv, .jsonl), or"
            " data:NAME (catalog).",
        ),
    ],
    out: options.Out = Path("model.unrolled"),
    audio: options_transcribe.Audio = None,
    text: options_transcribe.Text = None,
    speaker: options_transcribe.Speaker = None,
    pattern: options_transcribe.Pattern = None,
    frame_rate: Annotated[
        float | None, option("Frames a second of ready-made features (.npy, .mfc).", "100")
    ] = None,
    skip: options_transcribe.Skip = False,
    validation: Annotated[
        str | None,
        option(
            "What the best weights are chosen on: a share of the recordings, or data like FILE; 0:"
            " nothing.",
            "a tenth",
            metavar="FILE|SHARE",
        ),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Data like FILE to measure on, in place of --holdout."),
    ] = None,
    holdout: Annotated[
        float | None, option("Share of the recordings to measure on.", "0.1")
    ] = None,
    apart: Annotated[
        str | None,
        option(
            "What stays on one side of a split; auto: speakers, where five are known.",
            "auto",
            metavar="auto|speaker|text|both|none",
        ),
    ] = None,
    budget: Annotated[str | None, option(options.BUDGET_HELP, "15m")] = None,
    run_dir: options.RunDir = None,
    resume: options.Resume = False,
    tokenizer: Annotated[
        str | None,
        option("What a symbol is.", "characters", metavar="characters|subwords|words"),
    ] = None,
    vocabulary_size: Annotated[
        int | None,
        option("Most different symbols.", "500 subwords, words that occur twice, all characters"),
    ] = None,
    cell: Annotated[str | None, option("The cell.", "gru", metavar="gru|lstm|rnn")] = None,
    hidden_size: Annotated[
        int | None, option(options.HIDDEN_SIZE_HELP, "256 for each direction; of labels 128")
    ] = None,
    layers: Annotated[int | None, option(options.LAYERS_HELP, "3, of labels 2 layers")] = None,
    directions: Annotated[
        int | None,
        option("1 hears as you speak; 2 reads the sound both ways, for files.", "1"),
    ] = None,
    head: Annotated[
        str | None,
        option(
            "Of transcripts: a transducer's steps know what was said before them, and cost more.",
            "ctc",
            metavar="ctc|transducer",
        ),
    ] = None,
    sample_rate: Annotated[
        int | None, option("Samples a second that are heard.", "as most sounds, 16 kHz at most")
    ] = None,
    bands: Annotated[
        int | None, option("Of log-mel frames, or made of cepstra.", "40, of .mfc files 24")
    ] = None,
    channels: Annotated[
        int | None,
        option(
            "Of the convolutions below the recurrent layers.", "32, of labels 16, without bands 0"
        ),
    ] = None,
    subsampling: Annotated[
        int | None, option("Frames of 10 ms that become a step, 1 to 4.", "4, of labels 2 frames")
    ] = None,
    level_after: Annotated[
        int | None,
        option("Frames after which a recording's own mean counts for half; 0: never.", "15"),
    ] = None,
    dropout: Annotated[
        float | None, option("Share of what layers give that training drops.", "0.3")
    ] = None,
    smoothing: Annotated[
        float | None,
        option("Share of a label that is spread over all of them.", "0.1, of labels only"),
    ] = None,
    augment: Annotated[
        float | None,
        option("How strongly training changes the sounds; 0: not at all.", "as is usual"),
    ] = None,
    batch_seconds: Annotated[
        float | None, option("Sound in a batch, in seconds.", "25, of labels 15")
    ] = None,
    learning_rate: Annotated[
        float | None, option(options.LEARNING_RATE_HELP, "1e-3, of labels 3e-3")
    ] = None,
    weight_decay: Annotated[float | None, option("Of the matrices.", "0.02")] = None,
    average: Annotated[float | None, option(options.AVERAGE_HELP, "0.99")] = None,
    patience: Annotated[
        int | None, option("Validations without a better score before the end.", "none")
    ] = None,
    seed: options.Seed = None,
    device: options.Device = None,
    precision: options.Precision = None,
    no_diagnose: options.NoDiagnose = False,
    no_progress: options.NoProgress = False,
) -> None:
    """Learn to hear: recordings with what is said in them, as transcripts or as one label each.

    Begins with what the data doctor found. The evaluation compares word and character error rates
    (of labels accuracy and macro F1) of the network with the most frequent answer and, for short
    sounds, with the nearest template, and says where the network loses. Ctrl-C ends the training
    early and saves what was learnt.
    """
    from unrolled.cli.outputs import MODEL, check_out
    from unrolled.cli.sources import loaded, share_or_file
    from unrolled.cli.training import tell, train

    read = [one for one in (file, validation, test) if one is not None]
    check_out(out, MODEL, inputs=read)
    from unrolled.tasks.transcriber import Transcriber

    task = Transcriber(
        **given(
            tokenizer=tokenizer,
            vocabulary_size=vocabulary_size,
            cell=cell,
            hidden_size=hidden_size,
            layers=layers,
            directions=directions,
            head=head,
            sample_rate=sample_rate,
            bands=bands,
            channels=channels,
            subsampling=subsampling,
            level_after=level_after,
            dropout=dropout,
            smoothing=smoothing,
            augment=augment,
            batch_seconds=batch_seconds,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            average=average,
            patience=patience,
            seed=seed,
            device=device,
            precision=precision,
        )
    )
    reading = given(audio=audio, text=text, speaker=speaker, pattern=pattern)
    reading |= given(frame_rate=frame_rate, skip=skip or None)
    run = given(
        validation=share_or_file(validation, "recordings", {}),
        test=None if test is None else loaded(test, "recordings"),
        holdout=holdout,
        apart=apart,
        budget=budget,
        run_dir=run_dir,
    )
    run |= {"resume": resume, "no_diagnose": no_diagnose, "no_progress": no_progress}
    train(task, loaded(file, "recordings"), out, tell=tell, **reading, **run)
