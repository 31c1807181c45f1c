"""Data from outside is only data: nothing in the import path can run it."""

from __future__ import annotations

import ast
import io
import pickle
import zlib
from pathlib import Path

import brotli
import msgpack
import pytest

from amtracer.errors import SessionError
from amtracer.files.session import read_session
from amtracer.wire.codec import FILE, FrameWriter, magic_frame
from amtracer.wire.messages import Message, StringsMessage
from tests.wire.serving import run
from tests.wire.streams import HELLO

ROOT = Path(__file__).resolve().parents[2]
MODULES_OF_OURS = sorted(
    path.relative_to(ROOT).as_posix()
    for package in ("amtracer", "am_dbg")
    for path in (ROOT / package).rglob("*.py")
)
ALLOWED = {
    "amtracer/__init__.py": {"globals"},  # names of our own, loaded at their first use
    # imports a module that the user of the command names, which no data does
    "am_dbg/cli/check_schema.py": {"importlib", "import_module"},
    "am_dbg/settings/program_version.py": {"importlib"},  # asks for the version of this package
}
CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "import_module",
    "find_spec",
    "system",
    "spawn",
    "execv",
    "execve",
    "execvp",
    "load_module",
    "exec_module",
    "get_type_hints",
    "literal_eval",
    "popen",
    "Popen",
    "run_path",
    "run_module",
    "globals",
    "locals",
    "setattr",
}
FORBIDDEN_MODULES = {
    "pickle",
    "marshal",
    "shelve",
    "importlib",
    "runpy",
    "ctypes",
    "subprocess",
    "code",
    "codeop",
    "dill",
    "cloudpickle",
    "yaml",
    "pkgutil",
    "imp",
}


def names_called(tree: ast.Module) -> set[str]:
    """The last part of everything that is called, but for regular expressions."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            found.add("" if name == "re.compile" else name.rpartition(".")[2])
    return found


def names_imported(tree: ast.Module) -> set[str]:
    """The first part of everything that is imported."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES_OF_OURS)
def test_what_may_see_data_can_run_nothing(path: str) -> None:
    """No evaluating, no import by name, no format that holds code, no name made of data."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    allowed = ALLOWED.get(path, set())

    assert names_called(tree) & CALLS <= allowed
    assert names_imported(tree) & FORBIDDEN_MODULES <= allowed


def test_what_is_allowed_is_needed() -> None:
    """No exception outlives its reason."""
    for path, allowed in ALLOWED.items():
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert allowed <= names_called(tree) | names_imported(tree)


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("a pickle was loaded",))


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body


PAYLOADS = {
    "a pickle as a file": pickle.dumps(Bomb()),
    "a pickle, compressed": brotli.compress(pickle.dumps(Bomb())),
    "a pickle as a body": brotli.compress(magic_frame(FILE) + framed(pickle.dumps(Bomb()))),
    "a pickle in an extension": brotli.compress(
        magic_frame(FILE) + framed(msgpack.packb([9, msgpack.ExtType(1, pickle.dumps(Bomb()))]))
    ),
    "a class by name": brotli.compress(
        magic_frame(FILE) + framed(msgpack.packb([1, {"__class__": "os.system"}]))
    ),
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_is_refused_as_data(name: str) -> None:
    """What would run elsewhere is an error here."""
    with pytest.raises(SessionError):
        list(read_session(io.BytesIO(PAYLOADS[name])))


def test_a_pickle_within_a_text_is_a_text() -> None:
    """A log line may hold anything."""
    text = pickle.dumps(Bomb(), 0).decode("latin-1")
    writer = FrameWriter(FILE)
    messages: list[Message] = [HELLO, StringsMessage(0, (text,))]
    data = writer.magic() + b"".join(writer.write(message) for message in messages) + writer.end()

    assert list(read_session(io.BytesIO(brotli.compress(data))))[:2] == messages


READING = """
import sys
from am_dbg.ingest.importing import import_session
from am_dbg.store import Store
from am_dbg import reports as text

def read(path):
    store = Store()
    try:
        import_session(store, path)
    except Exception as error:
        if not type(error).__module__.startswith(("am_dbg", "amtracer")):
            raise
    list(text.stats_lines(store))
    for track in store.tracks:
        list(text.history_lines(track))

paths = sys.argv[1:]
for path in paths:  # once, so that all of ours is loaded
    read(path)

RUNS = {"exec", "compile", "import", "marshal.loads", "pickle.find_class", "os.system", "os.exec",
        "os.posix_spawn", "os.fork", "subprocess.Popen", "ctypes.dlopen", "socket.connect"}

def hook(event, args):
    if event in RUNS:
        print("ran", event, args[:1])

sys.addaudithook(hook)
for path in paths:
    read(path)
print("read", len(paths))
"""


@pytest.mark.slow
def test_reading_runs_nothing_in_a_process_that_is_watched(tmp_path: Path) -> None:
    """Audit hooks of Python report every compilation, import, process and connection."""
    payloads = []
    for at, payload in enumerate(PAYLOADS.values()):
        payloads.append(tmp_path / str(at))
        payloads[-1].write_bytes(payload)
    sessions = sorted((ROOT / "exports").glob("*.br"))[:3]
    go_session = tmp_path / "go.gob.br"
    go_session.write_bytes((ROOT / "tests" / "data" / "go-session.gob.br").read_bytes())
    done = run(READING, *payloads, *sessions, go_session)

    assert done.stderr == ""
    assert done.stdout == f"read {len(payloads) + len(sessions) + 1}\n"
