"""`bgp-cni`: a CNI plugin to be chained after `ptp` or another one that gives a pod its interface.

It tells the node agent about the pod's addresses, by a file for each interface in a folder that the agent watches; the agent
announces those that lie in no block of the node. Whatever becomes of the agent, the files tell it when it comes back.

Conforms to versions 0.3.0 to 1.1.0 of the CNI specification: ADD, DEL, CHECK, VERSION, STATUS and GC.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from collections.abc import Iterator, Mapping
from ipaddress import ip_interface
from pathlib import Path
from typing import Any, Final, TextIO

from bgp.app.client import choose_path
from bgp.app.node.options import PODS

VERSIONS: Final = ("0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")
#: Error codes of the specification, "Error".
INCOMPATIBLE: Final = 1
BAD_ENVIRONMENT: Final = 4
IO_FAILURE: Final = 5
BAD_CONTENT: Final = 6
BAD_CONFIGURATION: Final = 7
NOT_AVAILABLE: Final = 50
#: From 100 on they are the plugin's own: a pod that is not as CHECK was told.
NOT_AS_IT_WAS: Final = 100
#: The specification's rule for CNI_CONTAINERID; an interface's name has no slash and no white space.
CONTAINER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*")
INTERFACE: Final = re.compile(r"[^\s/:]{1,15}")

Json = Mapping[str, Any]  # what others wrote: every access is checked


class CniError(Exception):
    """What goes to standard output in place of a result."""

    def __init__(self, code: int, message: str, details: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


def main() -> None:
    """The plugin as a program; raises SystemExit."""
    raise SystemExit(run(os.environ, sys.stdin, sys.stdout))


def run(environment: Mapping[str, str], stdin: TextIO, out: TextIO) -> int:
    """Do what CNI_COMMAND says; gives the exit status."""
    version = VERSIONS[-1]
    try:
        command = environment.get("CNI_COMMAND", "")
        text = stdin.read()
        # The specification puts a version on VERSION's standard input; tools that ask by hand leave it empty.
        configuration = _configuration(text) if text.strip() or command != "VERSION" else {"cniVersion": version}
        asked = configuration.get("cniVersion", VERSIONS[0])
        if command == "VERSION":
            print(json.dumps({"cniVersion": asked, "supportedVersions": VERSIONS}), file=out)
            return 0
        if asked not in VERSIONS:
            raise CniError(INCOMPATIBLE, f"CNI version {asked!r} is not supported", f"there are {', '.join(VERSIONS)}")
        version = str(asked)
        result = _do(command, environment, configuration, version)
    except CniError as error:
        failure = {"cniVersion": version, "code": error.code, "msg": error.message, "details": error.details}
        print(json.dumps(failure), file=out)
        return 1
    if result is not None:
        print(json.dumps(result), file=out)
    return 0


def _configuration(text: str) -> Json:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CniError(BAD_CONTENT, "the configuration is not JSON", str(error)) from error
    if not isinstance(found, dict):
        raise CniError(BAD_CONTENT, "the configuration is not a JSON object")
    return found


def _do(command: str, environment: Mapping[str, str], configuration: Json, version: str) -> Json | None:
    folder = Path(_path(configuration, "pods") or PODS)
    if command in ("ADD", "CHECK") and not environment.get("CNI_NETNS"):
        raise CniError(BAD_ENVIRONMENT, "CNI_NETNS is not set")
    match command:
        case "ADD":
            result = _previous(configuration)
            _write(folder, *_interface(environment), _addresses(result), configuration)
            return {**result, "cniVersion": version}
        case "DEL":
            _remove(folder / _file(*_interface(environment)))
        case "CHECK":
            _check(folder / _file(*_interface(environment)), _addresses(_previous(configuration)))
        case "STATUS":
            _status(folder, choose_path(_path(configuration, "control")))
        case "GC":
            _collect(folder, configuration)
        case _:
            raise CniError(BAD_ENVIRONMENT, f"CNI_COMMAND is {command!r}", "ADD, DEL, CHECK, VERSION, STATUS or GC")
    return None


def _path(configuration: Json, key: str) -> str | None:
    found = configuration.get(key)
    if found is not None and (not isinstance(found, str) or "\0" in found):
        raise CniError(BAD_CONFIGURATION, f"{key} is {found!r}; it must be a path")
    return found


def _interface(environment: Mapping[str, str]) -> tuple[str, str]:
    container, interface = environment.get("CNI_CONTAINERID", ""), environment.get("CNI_IFNAME", "")
    if not CONTAINER.fullmatch(container):
        raise CniError(BAD_ENVIRONMENT, f"CNI_CONTAINERID is {container!r}")
    if not INTERFACE.fullmatch(interface) or interface in (".", ".."):
        raise CniError(BAD_ENVIRONMENT, f"CNI_IFNAME is {interface!r}")
    return container, interface


def _file(container: str, interface: str) -> str:
    return f"{container}:{interface}"


def _previous(configuration: Json) -> Json:
    result = configuration.get("prevResult")
    if not isinstance(result, dict):
        raise CniError(BAD_CONFIGURATION, "no prevResult: this plugin is chained after one that makes the interface")
    return result


def _addresses(result: Json) -> list[str]:
    """The addresses of a result, in its order."""
    try:
        return [str(ip_interface(one["address"]).ip) for one in result.get("ips", [])]
    except (TypeError, KeyError, ValueError) as error:
        raise CniError(BAD_CONFIGURATION, "prevResult has an address that is none", str(error)) from error


def _write(folder: Path, container: str, interface: str, addresses: list[str], configuration: Json) -> None:
    pod = {"container": container, "interface": interface, "network": configuration.get("name"), "addresses": addresses}
    name = _file(container, interface)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{name}.{os.getpid()}"
        beside.write_text(json.dumps(pod) + "\n")
        beside.rename(folder / name)  # so that whoever reads it finds all of it
    except OSError as error:
        raise CniError(IO_FAILURE, f"cannot write to {folder}", error.strerror or str(error)) from error


def _remove(file: Path) -> None:
    """DEL succeeds for a pod that is not there."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise CniError(IO_FAILURE, f"cannot remove {file}", error.strerror or str(error)) from error


def _check(file: Path, addresses: list[str]) -> None:
    try:
        known = json.loads(file.read_text()).get("addresses")
    except FileNotFoundError:
        raise CniError(NOT_AS_IT_WAS, "the node agent was not told of this pod", str(file)) from None
    except (OSError, ValueError, AttributeError) as error:
        raise CniError(IO_FAILURE, f"cannot read {file}", str(error)) from error
    if known != addresses:
        raise CniError(NOT_AS_IT_WAS, "the pod's addresses are others than the node agent was told", f"{known}")


def _status(folder: Path, control: str) -> None:
    """Whether a pod that is added now will be announced: the agent answers, and its folder can be written."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(control)
        except OSError as error:
            why = f"{control}: {error.strerror or error}"
            raise CniError(NOT_AVAILABLE, "the node agent does not run", why) from error
    if not os.access(folder, os.W_OK):
        raise CniError(NOT_AVAILABLE, f"{folder} cannot be written")


def _collect(folder: Path, configuration: Json) -> None:
    """GC: the pods of this network that the runtime does not know go."""
    valid = configuration.get("cni.dev/valid-attachments", configuration.get("cni.dev/attachments"))
    if not isinstance(valid, list):
        raise CniError(BAD_CONFIGURATION, "no cni.dev/valid-attachments")
    try:
        kept = {_file(str(one["containerID"]), str(one["ifname"])) for one in valid}
    except (TypeError, KeyError) as error:
        raise CniError(BAD_CONFIGURATION, "an attachment has no containerID or ifname", str(error)) from error
    for file in _files(folder, configuration.get("name")):
        if file.name not in kept:
            _remove(file)


def _files(folder: Path, network: object) -> Iterator[Path]:
    for file in sorted(folder.glob("[!.]*")):
        try:
            if json.loads(file.read_text()).get("network") == network:
                yield file
        except (OSError, ValueError, AttributeError):
            continue


if __name__ == "__main__":
    main()
