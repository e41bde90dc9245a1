"""Our values in VNPAY's formats and back: dates, IP addresses, texts, URLs."""

import re
import unicodedata
from datetime import datetime, timedelta, timezone
from ipaddress import IPv6Address, ip_address
from typing import Final

from gateways.operation import UnsupportedOperation

# Every vnp_ date is Viet Nam's time. The country has had +07:00 without summer time since 1975,
# and a fixed offset needs no time zone files on the machine.
_HANOI: Final = timezone(timedelta(hours=7))
_DATE_FORMAT: Final = "%Y%m%d%H%M%S"
_DATE: Final = re.compile(r"[0-9]{14}")
_IP_LENGTH_MIN: Final = 7
_ORDER_INFO_MAX: Final = 255
_CREATE_BY_MAX: Final = 245
_RETURN_URL_LENGTHS: Final = range(10, 256)
# Encoders disagree on these, so no signed text may hold them bare.
_DISPUTED_CHARACTERS: Final = re.compile(r"[~*!()']")


def date_to_wire(moment: datetime) -> str:
    """``yyyyMMddHHmmss`` in Viet Nam's time."""
    return moment.astimezone(_HANOI).strftime(_DATE_FORMAT)


def date_from_wire(text: str) -> datetime | None:
    """The moment that fourteen digits of Viet Nam's time name, or None when they name none."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, _DATE_FORMAT).replace(tzinfo=_HANOI)
    except ValueError:
        return None


def ip_to_wire(address: str) -> str:
    """The shopper's address in 7 to 45 characters.

    ``::1`` is too short and leads to a page that names no field, so it is written out. A text
    that is no address is replaced: VNPAY refuses a payment without one.
    """
    try:
        parsed = ip_address(address.partition("%")[0].strip())
    except ValueError:
        return "127.0.0.1"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(parsed) if len(str(parsed)) >= _IP_LENGTH_MIN else parsed.exploded


def text_to_wire(text: str, length_max: int = _ORDER_INFO_MAX) -> str:
    """``text`` without diacritics and special characters, as VNPAY's table asks."""
    decomposed = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    plain = decomposed.encode("ascii", "ignore").decode()
    return " ".join(re.sub(r"[^0-9A-Za-z:.-]+", " ", plain).split())[:length_max].rstrip()


def name_to_wire(name: str) -> str:
    """Who asks for a refund, in letters VNPAY takes."""
    return text_to_wire(name, _CREATE_BY_MAX) or "system"


def return_url_to_wire(url: str) -> str:
    """``url`` with the disputed characters percent-encoded. Raises UnsupportedOperation."""
    encoded = _DISPUTED_CHARACTERS.sub(lambda match: f"%{ord(match.group()):02X}", url)
    if len(encoded) not in _RETURN_URL_LENGTHS:
        raise UnsupportedOperation("VNPAY takes return addresses of 10 to 255 characters")
    return encoded
