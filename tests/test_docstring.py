"""Docstrings of every style: what is the function's, what is a parameter's."""

import pytest

from voice.protocol.docstring import words_of

GOOGLE = """Find an order.

    It looks in the
    whole shop.

    Args:
        number (int): the order's number,
            as printed
        email: whose it is: theirs
        unknown: nobody has this

    Returns:
        the order

    Say it aloud.
"""
NUMPY = """
    Find an order.

    Parameters
    ----------
    number : int
        the order's number,
        as printed
    email, phone
        whose it is

    Returns
    -------
    Order
        the order
"""
SPHINX = """Find an order.

    :param int number: the order's number,
        as printed
    :param email: whose it is
    :type email: str
    :returns: the order
    :raises KeyError: if there is none
"""


def test_google() -> None:
    words = words_of(GOOGLE, ["number", "email"])
    assert words.description == "Find an order.\n\nIt looks in the whole shop.\n\nSay it aloud."
    assert words.of == {"number": "the order's number, as printed", "email": "whose it is: theirs"}


def test_numpy() -> None:
    words = words_of(NUMPY, ["number", "email", "phone"])
    assert words.description == "Find an order."
    assert words.of == {"number": "the order's number, as printed", "email": "whose it is", "phone": "whose it is"}


def test_sphinx() -> None:
    words = words_of(SPHINX, ["number", "email"])
    assert words.description == "Find an order."
    assert words.of == {"number": "the order's number, as printed", "email": "whose it is"}


@pytest.mark.parametrize(
    ("docstring", "description"),
    [
        (None, ""),
        ("", ""),
        ("One line.", "One line."),
        ("Two\nlines.", "Two lines."),
        ("A list:\n\n- one\n- two", "A list:\n\n- one\n- two"),
        ("Args: none of it is a section.", "Args: none of it is a section."),
        ("Notes on parameters\nfollow.", "Notes on parameters follow."),
        ("Args:", ""),
        ("Find.\n\nArgs:\n", "Find."),
    ],
)
def test_plain(docstring: str | None, description: str) -> None:
    assert words_of(docstring, ["number"]).description == description
    assert words_of(docstring, ["number"]).of == {}


def test_a_later_section_is_no_parameter() -> None:
    assert words_of("F.\n\nArgs:\n    a: one\n\nRaises:\n    a: two\n", ["a"]).of == {"a": "one"}
