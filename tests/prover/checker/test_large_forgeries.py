"""Forged proofs of format 2 are rejected, each for its own reason; so are arrays and containers that are not what they declare."""

from __future__ import annotations

import copy
import json
import re
import struct
import subprocess
import sys
import zipfile
from array import array
from pathlib import Path

import pytest

from prover.checker import container
from prover.checker.__main__ import main
from prover.checker.check import check, check_file
from prover.checker.document import Rejected
from prover.container import Arrays, write
from tests.prover.checker import large_forgeries, proofs
from tests.prover.checker.inline import packed
from tests.prover.checker.test_large import LARGE, PLAIN

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("name", "proof", "mutation", "reason"), large_forgeries.ALL, ids=[row[0] for row in large_forgeries.ALL])
def test_a_forgery_is_rejected(name, proof, mutation, reason):
    plain = copy.deepcopy(PLAIN[proof])
    mutation(plain)
    document, arrays = packed(plain)
    with pytest.raises(Rejected) as caught:
        check(document, arrays=arrays)
    assert re.search(reason, str(caught.value)), f"{name}: {caught.value}"
    assert "Error" not in str(caught.value)


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "forged").glob("*.proof")), ids=lambda path: path.stem)
def test_a_stored_forgery_is_rejected(path):
    with pytest.raises(Rejected) as caught:
        check_file(path)
    reasons = {f"large_{name}": reason for name, _, _, reason in large_forgeries.ALL}
    assert re.search(reasons[path.stem], str(caught.value))
    assert f"`{path.name}`" in (ROOT / "tests" / "forged" / "README.md").read_text(encoding="utf-8")


# ---------------------------------------------------------------- arrays

DOCUMENT, ARRAYS = LARGE["total"].document, LARGE["total"].arrays.members
SUCCESSOR = DOCUMENT["worlds"][0]["successor"]


def refused(document, arrays, reason, **more):
    with pytest.raises(Rejected, match=reason):
        check(document, arrays=arrays, **more)


def changed(path, value):
    document = copy.deepcopy(DOCUMENT)
    outer = document
    for key in path[:-1]:
        outer = outer[key]
    outer[path[-1]] = value
    return document


PLACE = ["worlds", 0, "successor"]


def test_arrays_that_are_not_as_declared():
    name = SUCCESSOR["array"]
    refused(DOCUMENT, {**ARRAYS, "more": b""}, "does not name")
    refused(DOCUMENT, {k: v for k, v in ARRAYS.items() if k != name}, "an array is missing")
    refused(DOCUMENT, {**ARRAYS, name: ARRAYS[name] + b"\0"}, "another size")
    refused(DOCUMENT, {**ARRAYS, name: ARRAYS[name][:-1]}, "another size")
    refused(changed([*PLACE, "length"], 4), {**ARRAYS, name: ARRAYS[name][:-1]}, "wrong length")
    refused(changed([*PLACE, "type"], "u2"), ARRAYS, "another size|two different")
    refused(changed([*PLACE, "type"], "f8"), ARRAYS, "not a type")
    refused(changed([*PLACE, "array"], "proof.json"), ARRAYS, "not a name")
    refused(changed([*PLACE, "array"], "../up"), ARRAYS, "not a name")
    refused(changed(PLACE, {"numbers": ["1"] * 5}), ARRAYS, "expected an object")
    refused(changed(PLACE, [1, 1, 2, 1, 2]), ARRAYS, "expected an object")
    refused(changed([*PLACE, "length"], 2**40), ARRAYS, "index or count")
    refused(changed([*PLACE, "length"], True), ARRAYS, "index or count")
    refused(DOCUMENT, {**ARRAYS, name: "text"}, "Error")
    refused(DOCUMENT, {}, "missing")


def test_an_array_shared_by_two_places_has_one_type():
    labels = DOCUMENT["worlds"][0]["atoms"]
    assert check(changed(["worlds", 0, "atoms", 1, "text"], "bad"), arrays=ARRAYS)
    both = copy.deepcopy(DOCUMENT)
    both["worlds"][0]["atoms"][1]["holds"] = {**labels[0]["holds"], "type": "u2", "length": 1}
    refused(both, ARRAYS, "wrong length")
    wide = {**ARRAYS, labels[0]["holds"]["array"]: ARRAYS[labels[0]["holds"]["array"]]}
    both["worlds"][0]["atoms"][1]["holds"] = {**labels[0]["holds"], "type": "i4"}
    refused(both, wide, "two different")


def test_another_machine_reads_the_same(monkeypatch):
    """With the bytes of every integer reversed, on a machine of the other byte order."""
    code = {"u2": "H", "u4": "I", "i4": "i", "i8": "q"}
    kinds = {}
    todo = [DOCUMENT]
    while todo:
        value = todo.pop()
        if isinstance(value, dict) and "array" in value:
            kinds[value["array"]] = value["type"]
        todo += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    swapped = {}
    for name, data in ARRAYS.items():
        column = array(code.get(kinds[name], "B"), data)
        column.byteswap()
        swapped[name] = column.tobytes()
    expected = check(DOCUMENT, arrays=ARRAYS)
    monkeypatch.setattr("prover.checker.arrays.sys.byteorder", "big" if sys.byteorder == "little" else "little")
    assert check(DOCUMENT, arrays=swapped) == expected


def test_buffers_of_every_kind():
    import numpy as np

    expected = check(DOCUMENT, arrays=ARRAYS)
    for kind in (memoryview, bytearray, lambda data: np.frombuffer(data, np.uint8)):
        assert check(DOCUMENT, arrays={name: kind(data) for name, data in ARRAYS.items()}) == expected


def test_another_claim_or_world():
    arrays = Arrays()
    worlds = [arrays.world(world, "w") for world in proofs.total()["worlds"]]
    given = {"worlds": worlds, "world_arrays": arrays.members}
    assert check(DOCUMENT, arrays=ARRAYS, **given)
    refused(DOCUMENT, ARRAYS, "another claim", claim={**DOCUMENT["claim"], "text": "?"})
    for name, data in arrays.members.items():
        if len(data) > 1:
            other = bytes([data[0] + 1, *data[1:]])
            refused(DOCUMENT, ARRAYS, "another world", worlds=worlds, world_arrays={**arrays.members, name: other})
    for key, value in (("name", "V"), ("initial", []), ("actions", [])):
        refused(DOCUMENT, ARRAYS, "another world", worlds=[{**worlds[0], key: value}], world_arrays=arrays.members)
    refused(DOCUMENT, ARRAYS, "another world", worlds=[], world_arrays={})


def test_numbers_of_any_size():
    document = copy.deepcopy(DOCUMENT)
    arrays = dict(ARRAYS)
    big = 10**5000  # more digits than int() reads at once
    tail = document["evidence"]["lemmas"][2]["tails"][0]
    document["evidence"]["lemmas"][2]["denominator"] = "1" + "0" * 5000
    old = tail[1]
    digits = "0" * 5000
    tail[1] = {"numbers": ["10" + digits, "0", "-0"]}
    named = json.dumps(document).count(f'"{old["array"]}"')
    if not named:
        del arrays[old["array"]]
    assert check(document, arrays=arrays) == check(DOCUMENT, arrays=ARRAYS)
    assert big
    tail[1]["numbers"][0] = "9" * 5001
    refused(document, arrays, "too small")
    for bad in ("1/1", "1.0", "", "x", 1, True, "+1", " 1"):
        tail[1]["numbers"][1] = bad
        refused(document, arrays, "integer as a string")


# ---------------------------------------------------------------- containers


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.proof"
    write(path, DOCUMENT, ARRAYS)
    assert check_file(path).name == "c"
    return path


def repacked(path, target, change):
    """Copies the members through ``change(name, data) -> [(name, data, compression)]``."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            for label, data, how in change(name, old.read(name)):
                new.writestr(label, data, how)
    return target


STORED = zipfile.ZIP_STORED


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda n, d: [(n, d, STORED)], None),
        (lambda n, d: [(n, d, zipfile.ZIP_DEFLATED)], None),
        (lambda n, d: [(n, d, zipfile.ZIP_LZMA)], "packed in another way"),
        (lambda n, d: [(n, d, zipfile.ZIP_BZIP2)], "packed in another way"),
        (lambda n, d: [(n, d, STORED), (n, d, STORED)], "occurs twice"),
        (lambda n, d: [(n, d, STORED)] + [("extra", b"", STORED)] * (n == "proof.json"), "does not name"),
        (lambda n, d: [] if n == "proof.json" else [(n, d, STORED)], "no member proof.json"),
        (lambda n, d: [] if n != "proof.json" else [(n, d, STORED)], "missing"),
        (lambda n, d: [(n, d + b"\0" * (n != "proof.json"), STORED)], "another size"),
        (lambda n, d: [(n, b"{}" if n == "proof.json" else d, STORED)], "expected an object"),
        (lambda n, d: [(n, b"\xff" if n == "proof.json" else d, STORED)], "cannot read"),
        (lambda n, d: [(n, d + d if n == "proof.json" else d, STORED)], "not JSON"),
    ],
)
def test_members(good, tmp_path, change, reason):
    path = repacked(good, tmp_path / "other.proof", change)
    if reason is None:
        assert check_file(path).name == "c"
    else:
        with pytest.raises(Rejected, match=reason):
            check_file(path)


def test_damaged_containers(good, tmp_path):
    """Cut short anywhere, or with any byte changed: rejected, or what it derives is the same."""
    data = good.read_bytes()
    path = tmp_path / "bad.proof"
    for end in range(0, len(data), 97):
        path.write_bytes(data[:end])
        with pytest.raises(Rejected):
            check_file(path)
    expected = check_file(good)
    for place in range(0, len(data), 41):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        try:
            assert check_file(path) == expected
        except Rejected:
            continue


def test_bombs(good, tmp_path, monkeypatch):
    path = tmp_path / "bomb.proof"
    repacked(good, path, lambda n, d: [(n, d, STORED)] + [("zeros", bytes(10**7), zipfile.ZIP_DEFLATED)] * (n == "proof.json"))
    monkeypatch.setattr(container, "TOTAL", 10**6)
    with pytest.raises(Rejected, match="too large"):
        check_file(path)
    monkeypatch.setattr(container, "ARRAY", 10**6)
    with pytest.raises(Rejected, match="a member is too large"):
        check_file(path)
    monkeypatch.setattr(container, "MEMBERS", 3)
    with pytest.raises(Rejected, match="too many"):
        check_file(path)


def test_a_member_that_lies_about_its_size(good, tmp_path):
    """The directory declares 1 byte less, or 1 more, than the member has."""
    data = good.read_bytes()
    name = SUCCESSOR["array"].encode()
    entry = data.rindex(name) - 46  # its entry in the central directory
    assert data[entry : entry + 4] == b"PK\x01\x02"
    for size in (len(ARRAYS[name.decode()]) - 1, len(ARRAYS[name.decode()]) + 1, 2**32 - 2):
        path = tmp_path / "bad.proof"
        path.write_bytes(data[: entry + 24] + struct.pack("<I", size) + data[entry + 28 :])
        with pytest.raises(Rejected):
            check_file(path)


def test_overlapping_members(tmp_path, good):
    """Every entry of the directory points to the same packed data."""
    data = good.read_bytes()
    path = tmp_path / "bad.proof"
    with zipfile.ZipFile(good) as archive:
        largest = max(entry.compress_size for entry in archive.infolist())
        count = len(archive.infolist())
    start, changed_data = data.index(b"PK\x01\x02"), bytearray(data)
    for _ in range(count):
        struct.pack_into("<I", changed_data, start + 20, largest)
        start = data.find(b"PK\x01\x02", start + 4)
    path.write_bytes(bytes(changed_data))
    with pytest.raises(Rejected, match="overlap"):
        check_file(path)


def test_command_line(good, tmp_path, capsys):
    bad = tmp_path / "bad.proof"
    bad.write_bytes(good.read_bytes()[:-30])
    assert main([str(good)]) == 0
    assert "VALID c: " in capsys.readouterr().out
    assert main([str(good), str(bad)]) == 6


@pytest.mark.parametrize("flags", [[], ["-O"], ["-OO"]])
def test_as_a_program_of_its_own(good, flags):
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from prover.checker.__main__ import main; sys.exit(main(sys.argv[1:]))"
    assert subprocess.run([sys.executable, "-I", *flags, "-c", code, good], check=False, capture_output=True).returncode == 0
