"""Stores that one run has for itself, removed afterwards: what `--store` takes."""

import contextlib
import secrets
import shutil
import subprocess


@contextlib.contextmanager
def postgres(server):
    """A database on the server of that address."""
    name = f"bench_{secrets.token_hex(4)}"
    sql(server, f"create database {name}")
    try:
        yield server.rsplit("/", 1)[0] + "/" + name
    finally:
        sql(server, f"drop database {name} with (force)")


@contextlib.contextmanager
def sqlite(work):
    """A folder."""
    folder = f"{work}/stores-{secrets.token_hex(4)}"
    try:
        yield f"sqlite:{folder}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sql(server, statement):
    subprocess.run(["psql", "-q", server, "-c", statement], check=True, stdout=subprocess.DEVNULL)
