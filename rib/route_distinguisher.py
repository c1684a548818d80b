"""Route distinguishers: what makes one prefix of two private networks two (RFC 4364 4.2)."""

from __future__ import annotations

from ipaddress import IPv4Address


class RouteDistinguisher(bytes):
    """A route distinguisher, as its eight octets.

    Text: "65000:1" (type 0), "10.0.0.1:1" (type 1), "4200000000:1" (type 2). An AS number below 65536 in four octets is
    written with its type, "2:65000:1"; a type that nobody knows as 16 hex digits.
    """

    __slots__ = ()

    def __new__(cls, octets: bytes | str) -> RouteDistinguisher:
        """Of its octets or its text. Raises ValueError, also unless there are eight octets."""
        if isinstance(octets, str):
            return cls.parse(octets)
        if len(octets) != 8:
            raise ValueError(f"a route distinguisher has 8 octets, not {len(octets)}")
        return super().__new__(cls, octets)

    @classmethod
    def parse(cls, text: str) -> RouteDistinguisher:
        """The route distinguisher of a text form. Raises ValueError."""
        try:
            if ":" not in text:
                return cls(bytes.fromhex(text))
            admin, _, number = text.rpartition(":")
            if "." in admin:
                return cls(b"\0\1" + IPv4Address(admin).packed + int(number).to_bytes(2, "big"))
            kind, _, asn = admin.rpartition(":")
            if kind not in ("", "2"):
                raise ValueError("an AS number below 65536 is of type 0, or of type 2 with 2: before it")
            if kind or int(asn) > 65535:
                return cls(b"\0\2" + int(asn).to_bytes(4, "big") + int(number).to_bytes(2, "big"))
            return cls(b"\0\0" + int(asn).to_bytes(2, "big") + int(number).to_bytes(4, "big"))
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{text!r} is not a route distinguisher: {error}") from None

    @property
    def type(self) -> int:
        """Which layout it has."""
        return int.from_bytes(self[:2], "big")

    def __str__(self) -> str:
        long, short = int.from_bytes(self[4:], "big"), int.from_bytes(self[6:], "big")
        match self.type:
            case 0:
                return f"{int.from_bytes(self[2:4], 'big')}:{long}"
            case 1:
                return f"{IPv4Address(self[2:6])}:{short}"
            case 2:
                asn = int.from_bytes(self[2:6], "big")
                return f"{asn}:{short}" if asn > 65535 else f"2:{asn}:{short}"
            case _:
                return self.hex()

    def __repr__(self) -> str:
        return f"RouteDistinguisher({str(self)!r})"
