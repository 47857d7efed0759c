"""How much memory a sandbox holds: its process and all that it started.

Counted is what is resident, the Python runtime and the packages of the warm parent included, as Lambda
counts its own runtime.
"""

import ctypes
import os
import struct
import sys
from dataclasses import dataclass

_PAGE = os.sysconf("SC_PAGE_SIZE")
_READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of memory, and how many processes and threads hold them."""

    memory: int
    tasks: int


def usage_of(pid: int, enough: int) -> Usage:
    """What the sandbox holds; above `enough` bytes, pages that its processes share are counted once."""
    children, tasks = _below(pid)
    resident = _resident_on_macos if sys.platform == "darwin" else _resident
    own = resident(pid)
    memory = own + sum(map(resident, children))
    if memory > enough and children and sys.platform == "linux":
        memory = own + sum(map(_private, children))
    return Usage(memory, tasks)


def children_of(pid: int) -> list[int]:
    return _family_of(pid)[0]


def _below(pid: int) -> tuple[list[int], int]:
    """Every process below `pid`, and the number of threads of all of them."""
    found: list[int] = []
    tasks, waiting = 0, [pid]
    while waiting:
        children, threads = _family_of(waiting.pop())
        tasks += threads
        found += children
        waiting += children
    return found, tasks


def _family_of(pid: int) -> tuple[list[int], int]:
    """The children of a process, and the number of its threads."""
    if sys.platform == "darwin":
        return _family_on_macos(pid)
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208  many times a second
    except OSError:
        return [], 0
    each = [_read(f"/proc/{pid}/task/{thread}/children").split() for thread in threads]
    return [int(child) for children in each for child in children], len(threads)


def _resident(pid: int) -> int:
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * _PAGE if fields else 0


def _private(pid: int) -> int:
    """Slower: the kernel looks at every page."""
    lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(b"Private_"))


def _read(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # it ended meanwhile
        return b""
    try:
        return os.read(descriptor, _READ_BYTES)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


# https://github.com/apple-oss-distributions/xnu/blob/main/libsyscall/wrappers/libproc/libproc.h
_RUSAGE_INFO_V2 = 2
_FOOTPRINT = 16 + 7 * 8  # ri_phys_footprint: behind the UUID and seven numbers of eight bytes


def _resident_on_macos(pid: int) -> int:
    info = ctypes.create_string_buffer(512)
    failed: int = ctypes.CDLL(None).proc_pid_rusage(pid, _RUSAGE_INFO_V2, info)
    return 0 if failed else int(struct.unpack_from("=Q", info, _FOOTPRINT)[0])


def _family_on_macos(pid: int) -> tuple[list[int], int]:
    """Threads are not told: a process counts as one."""
    pids = (ctypes.c_int * 2048)()
    count: int = ctypes.CDLL(None).proc_listchildpids(pid, pids, ctypes.sizeof(pids))
    return list(pids[: max(count, 0)]), 1
