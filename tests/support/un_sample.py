"""A UN Consolidated List of made-up people and groups, in the form of the real one."""

from collections.abc import Sequence

NOBODY = "<INDIVIDUALS/>"


def person(
    reference: str,
    *names: str,
    original: str = "",
    aliases: Sequence[tuple[str, str]] = (),
    nationality: str = "",
    born: str = "",
    more: str = "",
) -> str:
    """An INDIVIDUAL; `born` is the inside of its date of birth, `more` goes in as it stands."""
    parts = zip(("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"), names, strict=False)
    written = "".join(f"<{tag}>{name}</{tag}>" for tag, name in parts)
    others = "".join(
        f"<INDIVIDUAL_ALIAS><QUALITY>{quality}</QUALITY><ALIAS_NAME>{name}</ALIAS_NAME></INDIVIDUAL_ALIAS>"
        for name, quality in aliases
    )
    return (
        f"<INDIVIDUAL><DATAID>1</DATAID>{written}<UN_LIST_TYPE>Testing</UN_LIST_TYPE>"
        f"<REFERENCE_NUMBER>{reference}</REFERENCE_NUMBER><LISTED_ON>2015-04-07-04:00</LISTED_ON>"
        f"<NAME_ORIGINAL_SCRIPT>{original}</NAME_ORIGINAL_SCRIPT><COMMENTS1>Made up.</COMMENTS1>"
        f"<NATIONALITY><VALUE>{nationality}</VALUE></NATIONALITY>"
        "<LAST_DAY_UPDATED><VALUE>2016-10-13</VALUE><VALUE>2020-01-02</VALUE><VALUE/></LAST_DAY_UPDATED>"
        f"<INDIVIDUAL_DATE_OF_BIRTH>{born}</INDIVIDUAL_DATE_OF_BIRTH>{others}{more}</INDIVIDUAL>"
    )


def group(reference: str, name: str, *, aliases: Sequence[tuple[str, str]] = ()) -> str:
    """An ENTITY."""
    others = "".join(
        f"<ENTITY_ALIAS><QUALITY>{quality}</QUALITY><ALIAS_NAME>{alias}</ALIAS_NAME></ENTITY_ALIAS>"
        for alias, quality in aliases
    )
    return (
        f"<ENTITY><FIRST_NAME>{name}</FIRST_NAME><REFERENCE_NUMBER>{reference}</REFERENCE_NUMBER>"
        f"<LISTED_ON>2001-10-06</LISTED_ON>{others}</ENTITY>"
    )


def un_xml(
    *entries: str,
    made: str = "2026-02-27T00:00:09.554Z",
    head: str = '<?xml version="1.0" encoding="UTF-8"?>',
) -> bytes:
    """The list with these entries."""
    people = "".join(each for each in entries if each.startswith("<INDIVIDUAL>"))
    groups = "".join(each for each in entries if not each.startswith("<INDIVIDUAL>"))
    return (
        f'{head}<CONSOLIDATED_LIST dateGenerated="{made}"><INDIVIDUALS>{people}</INDIVIDUALS>'
        f"<ENTITIES>{groups}</ENTITIES></CONSOLIDATED_LIST>"
    ).encode()


SAMPLE = (
    person(
        "QDi.001", "KARIM", "TESTOV", "AL-MITHAL",
        original="كريم تستوف المثال",
        aliases=[("Kareem Testoff", "Good"), ("Abu Mithal", "Low"), ("Karim the Tall (كريم الطويل)", "")],
        nationality="Utopia (Republic of)",
        born="<TYPE_OF_DATE>EXACT</TYPE_OF_DATE><DATE>1971-02-03</DATE>",
    ),
    person("QDi.002", "MUHAMMAD", "AHMAD", aliases=[("", "")],
        born="<FROM_YEAR>1960</FROM_YEAR><TO_YEAR>1963</TO_YEAR>"),
    person("QDi.003", "MOHAMMED", "ABD AL-RAHMAN", "YUSUF",
        born="<TYPE_OF_DATE>APPROXIMATELY</TYPE_OF_DATE><YEAR>1950</YEAR>"),
    person("QDi.004", "MUHAMMAD", "OMAR"),
    person("QDi.005", "KIM", "SAMPLE CHOL"),
    person("QDi.006", "NUR AL-DIN", "EXAMPLOV", original="Нуруддин Экземплов"),
    group("QDe.001", "AL-MITHAL NETWORK",
        aliases=[("The Example Network; Example Net", "a.k.a."), ("Old Name", "f.k.a.")]),
)  # fmt: skip
