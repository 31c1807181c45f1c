"""The command `am-dbg`: its options, its subcommands and its exit codes.

Data goes to standard output, messages go to standard error, one line each. Nothing heavy is
loaded before it is needed, so `--version` and a wrong option answer at once.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from am_dbg.cli.convert import convert_command
from am_dbg.cli.exit_codes import Exit, exit_table
from am_dbg.cli.list import list_command
from am_dbg.cli.options import listen_option, memory_option, token_option
from am_dbg.cli.output import PROGRAM, fail, flush, is_flushed, write_lines
from am_dbg.cli.record import record_command
from am_dbg.cli.screen import checked_place, open_screen
from am_dbg.cli.show import show_command
from am_dbg.cli.stats import stats_command
from am_dbg.cli.terminal import fill_standard_descriptors
from am_dbg.errors import DebuggerError
from am_dbg.options import LOG_LEVEL_DEFAULT, LOG_LEVEL_WORDS, NOT_LISTENING, VIEWS
from amtracer.errors import TracingError

if TYPE_CHECKING:
    from types import FrameType

    from am_dbg.egress.export import ExportResult
    from am_dbg.ingest.importing import ImportSource
    from am_dbg.store import Store
    from amtracer.address import Address

_Command = TypeVar("_Command", bound=Callable[..., Any])

PROGRAM = "am-dbg"


class Exit(IntEnum):
    """Every exit code there is."""

    DONE = 0
    BAD_INPUT = 2
    INTERRUPTED = 130
    NOBODY_READS = 141
    TERMINATED = 143


class _TerminatedError(BaseException):
    """Somebody asked the process to end; what it began is undone on the way out."""


EXIT_TEXTS = {
    Exit.DONE: "done",
    Exit.BAD_INPUT: "a wrong option, a file that is damaged, cut or none, no terminal",
    Exit.INTERRUPTED: "interrupted by the user",
    Exit.NOBODY_READS: "nobody reads the output any more",
    Exit.TERMINATED: "asked to end by SIGTERM (129: the terminal went away)",
}

_EPILOG = "\b\nExit codes:\n" + "\n".join(
    f"  {code:3}  {text}" for code, text in EXIT_TEXTS.items()
)


_ASKED_HELP = (
    "Let in only programs whose AM_DBG_TOKEN is this. Others see command lines: better set"
    " AM_DBG_TOKEN here too."
)


_LEVELS = ", ".join(f"{level} {text}" for level, text in enumerate(LOG_LEVEL_WORDS))


class _TerminatedError(BaseException):
    """SIGTERM arrived; cleanup code runs while this error passes through."""


def main() -> None:
    """Run the command of this process, from start to exit."""
    signal.signal(signal.SIGTERM, _terminate)
    fill_standard_descriptors()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    code = run(sys.argv[1:])
    sys.exit(code if is_flushed() else Exit.OUTPUT_CLOSED)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise _TerminatedError


def run(arguments: list[str]) -> int:
    """Run the command with these arguments and return its exit code."""
    try:
        code = command.main(arguments, PROGRAM, standalone_mode=False)
        flush()
    except click.exceptions.Exit as asked:
        return asked.exit_code
    except click.ClickException as error:
        return fail(f"{error.format_message()} (see {PROGRAM} --help)")
    except (DebuggerError, TracingError) as error:
        return fail(str(error))
    except (click.Abort, KeyboardInterrupt):
        return fail("interrupted", Exit.INTERRUPTED)
    except _TerminatedError:
        return fail("terminated", Exit.TERMINATED)
    except (BrokenPipeError, SystemExit):  # click raises SystemExit when a pipe is closed
        return Exit.OUTPUT_CLOSED
    except OSError as error:
        return fail(f"cannot write the output: {(error.strerror or str(error)).lower()}")
    return code if isinstance(code, int) else Exit.DONE


@click.group(invoke_without_command=True, epilog=exit_table())
@click.option(
    "-i",
    "--import-data",
    metavar="FILE|URL|-",
    default="",
    help="Open a session: a file, a URL, or - for standard input.",
)
@listen_option(f"Address at which programs connect; {NOT_LISTENING} for none.")
@token_option
@click.option(
    "-m",
    "--select-machine",
    metavar="ID",
    default="",
    help="Select this machine: an id, a part of an id, or an address.",
)
@click.option(
    "-t",
    "--select-transition",
    metavar="PLACE",
    default="",
    callback=lambda _context, _option, text: checked_place(text),
    help="Select this transition: a number from 1, a machine time (t20), a wall time or an id.",
)
@click.option(
    "-v",
    "--view",
    type=click.Choice(VIEWS),
    default=VIEWS[0],
    show_default=True,
    help="Panes to show.",
)
@click.option(
    "-c",
    "--select-connected",
    is_flag=True,
    help="Select a new machine if no other is connected.",
)
@click.option("-r", "--reader", is_flag=True, help="Show the reader.")
@click.option(
    "-f",
    "--fwd-data",
    metavar="ADDR,...",
    multiple=True,
    help="Forward received data to these debuggers; may be repeated.",
)
@click.option(
    "--clean-on-connect",
    is_flag=True,
    help="Remove disconnected machines when a new one connects.",
)
@click.option(
    "--client-list", metavar="FILE", default="", help="Keep a list of all machines in this file."
)
@memory_option("Memory limit for received data; the oldest data is removed first.")
@click.option(
    "--enable-mouse/--disable-mouse",
    default=True,
    show_default=True,
    help="Use the mouse, or leave it to the terminal.",
)
@click.option(
    "--am-dbg-addr",
    metavar="ADDR",
    default="",
    help="Trace this debugger itself, and send the traces to the debugger at ADDR.",
)
@click.option("--log-file", metavar="FILE", default="", help="Write a log of this debugger.")
@click.option(
    "--log-level",
    type=click.IntRange(0, len(LOG_LEVEL_WORDS) - 1),
    default=LOG_LEVEL_DEFAULT,
    show_default=True,
    help=f"How much the log contains: {_LEVELS}.",
)
@click.option("--version", is_flag=True, help="Show the version and exit.")
@click.pass_context
def command(context: click.Context, /, version: bool, **given: Any) -> int:
    """Shows step by step why a program is in the state it is in.

    Without a command the screen opens. The commands need no terminal.
    """
    if version:
        write_lines([_version()])
        context.exit(Exit.DONE)
    if context.invoked_subcommand is None:
        return open_screen(**given)
    _hand_down(context, context.invoked_subcommand)
    return Exit.DONE


for _subcommand in (list_command, show_command, stats_command, convert_command, record_command):
    command.add_command(_subcommand)


def _hand_down(context: click.Context, name: str) -> None:
    """Give a command those of its options that stand before its name; refuse all others."""
    known = {option.name for option in command.commands[name].params}
    given: dict[str, object] = {}
    for option in context.command.params:
        if option.name is None or not _is_given(context, option.name):
            continue
        if option.name not in known:
            raise click.UsageError(f"{name} has no option {_spelled(option)}")
        given[option.name] = context.params[option.name]
    context.default_map = {name: given}


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def _spelled(option: click.Parameter) -> str:
    """An option by its long names."""
    return "/".join(name for name in (*option.opts, *option.secondary_opts) if name[:2] == "--")


@command.command("list")
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_max_mem(_READING_MAX)
def list_(file: str, as_json: bool, max_mem: int) -> int:
    """List the machines of a session."""
    from am_dbg import reports as text

    def show(store: Store) -> Iterable[str]:
        return _json(text.session_value(store)) if as_json else text.machine_lines(store)

    return _with_session(file, show, max_mem)


@command.command()
@click.argument("file")
@click.argument("address", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_max_mem(_READING_MAX)
def show(file: str, address: str | None, as_json: bool, max_mem: int) -> int:
    """Show one transition, mach://ID/PLACE, or all of mach://ID.

    A place is a number, t and a machine time, a time such as 15:04:05, or the id of a
    transition; everything that is printed as an address or a place is taken.
    """
    from am_dbg import reports as text
    from am_dbg.projection.addresses import resolve

    def shown(store: Store) -> Iterable[str]:
        if address is None:
            return _json(text.session_value(store)) if as_json else text.machine_lines(store)
        place = resolve(store, address)
        if place.number is None:
            if as_json:
                return text.history_json(store, place.track)
            return text.history_lines(place.track)
        if place.number < place.track.first:
            track = place.track
            return _json(text.start_value(track)) if as_json else text.start_lines(track)
        if as_json:
            return _json(text.transition_value(place.track, place.number))
        return text.transition_lines(place.track, place.number)

    return _with_session(file, shown, max_mem)


@command.command()
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_max_mem(_READING_MAX)
def stats(file: str, as_json: bool, max_mem: int) -> int:
    """Count what is in a session."""
    from am_dbg import reports as text

    def show(store: Store) -> Iterable[str]:
        return _json(text.stats_value(store)) if as_json else text.stats_lines(store)

    return _with_session(file, show, max_mem)


@command.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("--machine", metavar="ID", default="", help="Only this machine.")
@click.option("--numbers", metavar="A-B", default="", help="Only these of its transitions.")
@click.option("--ids", is_flag=True, help="Keep the ids of all transitions of Go programs.")
@_max_mem(_READING_MAX)
def convert(source: str, target: str, machine: str, numbers: str, ids: bool, max_mem: int) -> int:
    """Write a session again: .msgpack.br is a session file, .jsonl has a line for each thing.

    OUT is replaced when it is there. Of a damaged or cut session, what is whole is written.
    """
    from am_dbg.egress import convert as converting

    writer = converting.writer_for(target, all_ids=ids)
    store = _store()
    trouble = _import(store, source, max_mem)
    if trouble is not None and not store.tracks:
        raise trouble
    chosen = converting.chosen(store, machine, numbers)
    replaced = " (replaced)" if os.path.exists(target) else ""
    with _Bar("writing") as bar:
        written = writer(store, target, chosen, bar.moved)
    _say_written(target, written, replaced)
    return Exit.DONE if trouble is None else _refuse(str(trouble))


@command.command()
@click.argument("target", metavar="OUT")
@click.option("-l", "--listen-on", metavar="ADDR", default=LISTEN_ON_DEFAULT, show_default=True)
@click.option("--token", metavar="TEXT", default="", help=_ASKED_HELP)
@_max_mem("Memory for what arrives; the file keeps what had to go.")
@click.pass_context
def record(context: click.Context, /, target: str, listen_on: str, token: str, max_mem: int) -> int:
    """Collect what programs send into OUT, a .msgpack.br file, until interrupted.

    The file grows meanwhile: when this is killed it is cut, but there. Each program can also
    record itself, see AM_DBG_FILE.
    """
    from am_dbg.cli.record import collect, until_asked_to_end

    if not target.endswith(SESSION_ENDING):
        raise UnknownFormatError(one_line(target), (SESSION_ENDING,))
    asked = _token(token, context.find_root().params["token"])
    logging.getLogger("am_dbg").setLevel(logging.ERROR)  # what is less comes by `warned`, as words

    def told(address: str) -> None:
        _say(f"listening at {address}, recording until Ctrl+C")

    with until_asked_to_end() as wait:
        place = listen_address(listen_on)
        written = collect(
            place, target, wait, told, token=asked, warned=_say, bytes_max=max_mem * MEGABYTE
        )
    _say_written(target, written)
    return Exit.DONE


# The parts of the commands.


def _open_screen(
    import_data: str,
    fwd_data: tuple[str, ...],
    listen_on: str,
    am_dbg_addr: str,
    max_mem: int,
    select_transition: str,
    token: str,
    **rest: Any,
) -> int:
    asked = _token(token)
    listening = None if listen_on == NOT_LISTENING else listen_address(listen_on)
    others = filter(None, map(str.strip, ",".join(fwd_data).split(",")))
    forward_to = dict.fromkeys(_other("--fwd-data", text, listening) for text in others)
    debugged_at = _other("--am-dbg-addr", am_dbg_addr, listening) if am_dbg_addr else None
    source = _opened(import_data) if import_data else None
    try:
        if is_standard_input(import_data):
            take_terminal()
        reason = why_no_screen()
        if reason:
            raise NoTerminalError(reason)
        from am_dbg import app

        return app.run(
            RunOptions(
                import_data=import_data,
                source=source,
                listen_on="" if listening is None else listen_on,
                forward_to=tuple(forward_to),
                am_dbg_addr=debugged_at,
                memory_mb_max=max_mem,
                select_transition=select_transition,
                token=asked,
                **rest,
            ),
            _say,
        )
    finally:
        if source is not None:
            source.close()


def _other(option: str, text: str, listening: Address | None) -> Address:
    """The address of another debugger; this one would receive its own data, more each time."""
    from am_dbg.cli.own_address import leads_back

    address = peer_address(text)
    if listening is not None and leads_back(address, listening):
        raise click.UsageError(f"{option} {text} is this debugger itself, at {listening}")
    return address


def _token(*given: str) -> bytes:
    """The token in use: the given one, otherwise the token of the environment."""
    from amtracer.env import TOKEN_VARIABLE, token_of

    texts = (*given, os.environ.get(TOKEN_VARIABLE, ""))
    return next(filter(None, map(token_of, texts)), b"")


def _place(text: str) -> str:
    """A place in a history, as far as its form shows; which history is not known yet."""
    from am_dbg.errors import NotAnAddressError
    from am_dbg.projection.addresses import is_place

    if text and not is_place(text):
        raise click.UsageError(f"--select-transition: {NotAnAddressError(text)}")
    return text


def _opened(text: str) -> ImportSource:
    from am_dbg.ingest.importing import open_source

    return open_source(text)


def _store() -> Store:
    from am_dbg.store import Store

    return Store()


def _with_session(file: str, show: Callable[[Store], Iterable[str]], max_mem: int) -> int:
    """Read a session and print what is shown of it; of a damaged one, what is whole."""
    if sys.stdout is None:
        return _refuse("standard output is closed")
    store = _store()
    trouble = _import(store, file, max_mem)
    if trouble is not None and not store.tracks:
        raise trouble
    _print(show(store))
    return Exit.DONE if trouble is None else _refuse(str(trouble))


def _import(store: Store, file: str, max_mem: int) -> TracingError | None:
    """Read a session; what stopped it before its end is returned."""
    from am_dbg.ingest.importing import import_session
    from amtracer.errors import SessionError

    try:
        with _Bar("reading") as bar:
            import_session(store, file, bar.moved, max_mem * MEGABYTE)
    except SessionError as error:
        return error
    return None


def _say_written(target: str, written: ExportResult, replaced: str = "") -> None:
    from am_dbg.projection.times import totals

    held = totals(written.machines, written.transitions)
    _say(f"{one_line(target)}: {held}, {written.size:,} bytes{replaced}")


class _Bar:
    """A progress line on standard error, if that is a terminal; gone when done."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = -1
        self._is_on = is_terminal(sys.stderr) and not is_dumb()

    def moved(self, done: int, total: int) -> None:
        """Show the progress; nothing is written unless a whole per cent changed."""
        percent = done * 100 // total if total else 0
        if self._is_on and percent != self._shown:
            self._shown = percent
            _words(f"\r{self._what} {percent:3} %")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown >= 0:
            _words(f"\r{'':{len(self._what) + 6}}\r")


def _json(value: object) -> Iterator[str]:
    yield json.dumps(value, indent=2)


def _print(lines: Iterable[str]) -> None:
    """Data, to standard output."""
    if sys.stdout is None:
        raise NoTerminalError("standard output is closed")
    for line in lines:
        sys.stdout.write(f"{line}\n")


def _say(text: str) -> None:
    """Words, to standard error, on one line."""
    _words(f"{PROGRAM}: {one_line(text)}\n")


def _words(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        sys.stderr = None  # nobody reads words any more, data may still be wanted


def _refuse(text: str, code: Exit = Exit.BAD_INPUT) -> Exit:
    _say(text)
    return code


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{PROGRAM} {version('asyncmachine')}"
    except PackageNotFoundError:
        return f"{PROGRAM}, not installed"


if __name__ == "__main__":
    main()
