"""The allocators compared: the C library's own, the peers Debian packages, ours, and any named on the command line."""

import glob
import os
from dataclasses import dataclass, field

# Where distributions put the peers; the first that exists is taken.
PEER_PATTERNS = {
    "jemalloc": ["libjemalloc.so.2"],
    "mimalloc": ["libmimalloc.so.2.0", "libmimalloc.so.2", "libmimalloc.so"],
    "tcmalloc": ["libtcmalloc_minimal.so.4"],
}
LIBRARY_FOLDERS = ["/usr/lib/*-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib"]
LIBC_PATTERNS = ["libc.so.6"]
LIBC_FOLDERS = ["/lib/*-linux-gnu", "/usr/lib/*-linux-gnu", "/lib64", "/lib"]


@dataclass(frozen=True)
class Allocator:
    name: str
    library: str
    environment: dict = field(default_factory=dict)


def find_library(names, folders):
    for folder in folders:
        for name in names:
            found = sorted(glob.glob(os.path.join(folder, name)))
            if found:
                return found[0]
    return None


def glibc():
    """The C library is preloaded too: a program linked with a peer (Debian's redis) would keep that one otherwise."""
    return Allocator("glibc", find_library(LIBC_PATTERNS, LIBC_FOLDERS) or "libc.so.6")


def find_all(library, environment, extra_peers):
    """Returns (allocators in table order, names of peers that are not installed)."""
    found, missing = [glibc()], []
    for name, patterns in PEER_PATTERNS.items():
        path = find_library(patterns, LIBRARY_FOLDERS)
        if path is None:
            missing.append(name)
        else:
            found.append(Allocator(name, path))
    for name, path in extra_peers:
        found.append(Allocator(name, os.path.abspath(path)))
    if library is not None:
        found.append(Allocator("gcalloc", os.path.abspath(library), environment))
    return found, missing


def describe(allocator):
    """One line for the head of the table: the real file tells the version."""
    return f"{allocator.name}: {os.path.realpath(allocator.library)}"
