"""Wheel and source archive: what is in them, and that the wheel works where nothing else is."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import google
import pytest
import readme
from server_thread import serving

import hito

REPOSITORY = readme.CLIENT.parents[1]

PROGRAM = '''\
import sys
import hito, hito.sync
from hito import v1

assert hito.__file__.startswith(sys.prefix), hito.__file__
for name in ("pandas", "IPython", "pytest"):
    try:
        __import__(name)
    except ImportError:
        continue
    raise AssertionError(f"{name} is there")
with hito.sync.Client.connect(sys.argv[1], ca_file=sys.argv[2], token="t") as client:
    print(client.goals.create_goal(v1.CreateGoalRequest(title="from a wheel")).goal.title)
import hito.notebook
try:
    import hito.frames
except ImportError as error:
    print(error)
'''


@pytest.fixture(scope="module", name="built")
def _built():
    subprocess.run([readme.CLIENT / "build.sh"], check=True, timeout=300)
    return REPOSITORY / ".build-clients" / "python" / "dist"


def sources():
    package = readme.CLIENT / "src"
    return {
        str(path.relative_to(package)) for path in (package / "hito").rglob("*")
        if path.suffix in (".py", ".pyi", ".typed") or path.name == "py.typed"
    }  # fmt: skip


def test_both_have_all_sources_and_nothing_else(built):
    (wheel,) = built.glob(f"hito_client-{hito.__version__}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(f"hito_client-{hito.__version__}.dist-info/METADATA").decode()
    assert {name for name in names if ".dist-info/" not in name} == sources()
    assert "Requires-Dist: protobuf>=4.21\n" in metadata
    assert all("extra ==" in line for line in metadata.splitlines() if line.startswith("Requires-Dist: ") and "protobuf>=" not in line)
    (packed,) = built.glob(f"hito_client-{hito.__version__}.tar.gz")
    with tarfile.open(packed) as archive:
        names = [member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()]
    inside = {name.removeprefix("src/") for name in names if name.startswith("src/hito/")}
    assert inside == sources()


def test_the_wheel_makes_a_call_from_an_empty_environment(built, tls, certificates, tmp_path):
    environment = tmp_path / "empty"
    venv.EnvBuilder(with_pip=False, symlinks=True).create(environment)
    python = environment / "bin" / "python"
    (wheel,) = built.glob("*.whl")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", "--no-deps",
         "--disable-pip-version-check", str(wheel)], check=True, timeout=120,
    )  # fmt: skip
    # Of what it depends on there is one thing, which stands here already.
    (site,) = (environment / "lib").glob("python*/site-packages")
    protobuf = next(Path(path) for path in google.__path__ if (Path(path) / "protobuf" / "message.py").exists())
    (site / "google").symlink_to(protobuf)

    async def script(peer):
        from hito import v1

        await peer.greet()
        stream, fields, message = await peer.call()
        title = v1.CreateGoalRequest.FromString(message).title
        peer.reply(stream, v1.CreateGoalResponse(goal=v1.Goal(title=title)).SerializeToString())
        await peer.at_end()

    with serving(tls, script) as server:
        done = subprocess.run(
            [str(python), "-I", "-W", "error", "-c", PROGRAM, server.address, certificates.ca_file],
            capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "from a wheel", 'hito.frames needs pandas: pip install "hito-client[frames]"',
    ]  # fmt: skip
