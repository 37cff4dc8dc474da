"""Names across scripts and spellings: ranked with the reason and the score, never a verdict."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.errors import Code, OperationError
from subscribers.reference.names import NameIndex, Pair, Which
from subscribers.reference.spelling import How, likeness, words_of
from subscribers.reference.un_list import UnList
from subscribers.reference.un_xml import parse_un_list
from tests.support.un_sample import SAMPLE, group, person, un_xml


@pytest.fixture(scope="module")
def index() -> NameIndex:
    return NameIndex(parse_un_list(un_xml(*SAMPLE)))


@pytest.fixture(scope="module")
def real(shared_data: Path) -> UnList:
    return parse_un_list((shared_data / "un-consolidated.xml").read_bytes())


def alike(first: str, second: str) -> tuple[float, How]:
    [one], [other] = words_of(first), words_of(second)
    return likeness(one, other)


@pytest.mark.parametrize(
    "one,other,how",
    [
        ("Mohammed", "Muhammad", How.SPELLING),
        ("Mohamed", "Mohammed", How.SPELLING),
        ("Mehmet", "Mohd", How.SPELLING),
        ("Muhammad", "محمد", How.SCRIPT),
        ("Мухаммед", "محمد", How.SCRIPT),
        ("Мухаммед", "Muhammad", How.SCRIPT),
        ("Magomed", "Магомед", How.SCRIPT),
        ("Usama", "Osama", How.SPELLING),
        ("Osama", "أسامة", How.SCRIPT),
        ("Qadhafi", "Gaddafi", How.SPELLING),
        ("Kadhafi", "Gathafi", How.SPELLING),
        ("Qaddafi", "القذافي", How.SCRIPT),
        ("Zawahiri", "الظواهري", How.SCRIPT),
        ("Alzawahiri", "Zawahiri", How.SPELLING),
        ("Essabar", "Sabbar", How.SPELLING),
        ("Omar", "Umar", How.SPELLING),
        ("Hussein", "Husayn", How.SPELLING),
        ("Hussein", "حسين", How.SCRIPT),
        ("Abdurrahman", "Abd al-Rahman", How.SPELLING),
        ("Abdul Rahman", "عبد الرحمن", How.SCRIPT),
        ("Abdelrahman", "عبدالرحمن", How.SCRIPT),
        ("Abdullah", "عبد الله", How.SCRIPT),
        ("Abd Allah", "Abdulla", How.SPELLING),
        ("Noureddine", "Nur al-Din", How.SPELLING),
        ("Nuruddin", "نور الدين", How.SCRIPT),
        ("Nasrallah", "نصر الله", How.SCRIPT),
        ("Yusuf", "Jusuf", How.SPELLING),
        ("Youssef", "يوسف", How.SCRIPT),
        ("Oualid", "وليد", How.SCRIPT),
        ("Gamal", "Jamal", How.SPELLING),
        ("Gamal", "جمال", How.SCRIPT),
        ("Ramadan", "Ramazan", How.LETTER),
        ("Ramazan", "رمضان", How.SCRIPT),
        ("Othman", "Osman", How.SPELLING),
        ("Isaak", "Ishaq", How.SPELLING),
        ("Cheikh", "Sheikh", How.SPELLING),
        ("Javad", "Jawad", How.LETTER),
        ("Khalid", "Халид", How.SCRIPT),
        ("Sa'id", "Said", How.SAME),
        ("Müller", "Muller", How.SPELLING),
        ("Ali", "علي", How.SCRIPT),
        ("Park", "Pak", How.SPELLING),
        ("Testov", "Tsetov", How.LETTER),
        ("Nicolaides", "Nikolaydas", How.SPELLING),
        ("Γεώργιος", "Georgios", How.SCRIPT),
    ],
)
def test_two_ways_to_write_a_name_are_found_alike(one: str, other: str, how: How) -> None:
    likely, found = alike(one, other)
    assert likely >= 0.78
    assert found is how
    assert alike(other, one)[0] == pytest.approx(likely)


@pytest.mark.parametrize(
    "one,other",
    [
        ("Hassan", "Hussein"),
        ("Umar", "Amir"),
        ("Ahmed", "Muhammad"),
        ("Khan", "Kony"),
        ("Ali", "Ella"),
        ("Kim", "Ri"),
        ("Smith", "Schmid"),
        ("John", "Jean"),
        ("قاعدة", "GDAE"),
    ],
)
def test_two_names_are_not_taken_for_one(one: str, other: str) -> None:
    assert alike(one, other)[0] < 0.83


def test_articles_and_sons_are_left_out_unless_nothing_else_is_there() -> None:
    assert [word.shown for word in words_of("Saad bin Guad al-Faqih ibn X")] == ["Saad", "Guad", "Faqih", "X"]
    assert [word.shown for word in words_of("Al")] == ["Al"]
    assert [word.shown for word in words_of("An-Nusra")] == ["Nusra"]
    assert [word.shown for word in words_of("An Jong")] == ["An", "Jong"]
    assert [word.text for word in words_of("Aboubakar")] == ["abu", "bakar"]
    assert [word.text for word in words_of("王小明")] == ["wang", "xiao", "ming"]
    assert words_of("!? - ’") == ()


def test_the_name_itself_is_found_first_with_everything_in_place(index: NameIndex) -> None:
    hit = index.look_up("Karim Testov al-Mithal")[0]
    assert (hit.entry.reference, hit.score, hit.how, hit.which) == ("QDi.001", 100, How.SAME, Which.NAME)
    assert (hit.extra, hit.missing, hit.reordered) == ((), (), False)
    assert (hit.born, hit.nationality) == (None, None)


def test_another_script_is_said_with_the_words_that_met(index: NameIndex) -> None:
    hit = index.look_up("Карим Митхал")[0]
    assert (hit.entry.reference, hit.how) == ("QDi.001", How.SCRIPT)
    assert [(pair.asked, pair.how) for pair in hit.pairs] == [("Карим", How.SCRIPT), ("Митхал", How.SCRIPT)]
    assert len(hit.missing) == 1
    assert index.look_up("Nuruddin Exemplov")[0].entry.reference == "QDi.006"
    assert index.look_up("كريم")[0].which in {Which.ORIGINAL, Which.ALIAS}


def test_order_missing_and_extra_words_are_said(index: NameIndex) -> None:
    turned = index.look_up("al-Mithal, Karim")[0]
    assert (turned.reordered, turned.missing, turned.how) == (True, ("TESTOV",), How.SAME)
    more = index.look_up("Karim Johannes Testov Mithal")[0]
    assert more.extra == ("Johannes",)
    assert more.score < 100


def test_an_initial_counts_for_less_than_the_name(index: NameIndex) -> None:
    hit = index.look_up("K. Testov Mithal")[0]
    assert Pair("K", "KARIM", How.INITIAL) in hit.pairs
    assert 75 < hit.score < 95
    assert all(
        pair.how is not How.INITIAL for each in index.look_up("X. Testov Mithal") for pair in each.pairs
    )


def test_what_some_write_as_one_word_is_found(index: NameIndex) -> None:
    assert Pair("Samplechol", "SAMPLE CHOL", How.SPELLING) in index.look_up("Kim Samplechol")[0].pairs
    joined = index.look_up("Test Ov Mithal Karim")[0]
    assert Pair("Test Ov", "TESTOV", How.SPELLING) in joined.pairs


def test_an_entry_stands_once_by_its_best_name_and_says_which(index: NameIndex) -> None:
    hit = index.look_up("Kareem Testoff")[0]
    assert (hit.name, hit.which) == ("Kareem Testoff", Which.GOOD_ALIAS)
    assert index.look_up("Abu Mithal")[0].which is Which.LOW_ALIAS
    assert index.look_up("Karim the Tall")[0].name == "Karim the Tall"
    assert index.look_up("Example Net")[0].name == "Example Net"
    assert index.look_up("Old Name")[0].which is Which.FORMER
    assert len({each.entry.reference for each in index.look_up("Muhammad")}) == len(index.look_up("Muhammad"))


def test_a_common_name_weighs_less_than_a_rare_one(index: NameIndex) -> None:
    assert [each.entry.reference for each in index.look_up("Muhammad Testov al-Mithal")] == ["QDi.001"]


def test_birth_and_nationality_are_compared_and_settle_ties(index: NameIndex) -> None:
    hit = index.look_up("Karim Testov", born=1972, nationality="utopia")[0]
    assert (hit.born, hit.nationality) == ("agrees", "agrees")
    hit = index.look_up("Karim Testov", born=1980, nationality="Erewhon")[0]
    assert (hit.born, hit.nationality) == ("differs", "differs")
    ranked = index.look_up("Muhammad", born=1962, nationality="Utopia")
    assert [(each.entry.reference, each.born, each.nationality) for each in ranked][:2] == [
        ("QDi.002", "agrees", "unknown"),
        ("QDi.004", "unknown", "unknown"),
    ]


@pytest.mark.parametrize("name", ["", "  ", "!!", "A" * 201, "A B C D E F G H I J K L M"])
def test_what_is_no_name_is_refused(index: NameIndex, name: str) -> None:
    with pytest.raises(OperationError) as caught:
        index.look_up(name)
    assert caught.value.code == Code.BAD_REQUEST


@pytest.mark.parametrize(
    "name", ["John Smith", "Marie Dupont", "王伟", "Priya Sharma", "Muhammad Smith", "X", "1"]
)
def test_who_is_not_on_the_list_is_not_found(index: NameIndex, name: str) -> None:
    assert index.look_up(name) == []


def test_remarks_in_a_field_are_no_names() -> None:
    listed = un_xml(
        person(
            "QDi.001",
            "ANNA",
            "TESTOVA",
            aliases=[
                ("Ana Testo, born in 1963", "Good"),
                ("Umar Testo (previously listed as)", "Good"),
                ("Amir (original script: Амир Хазмат)", "Good"),
                ("(COMBAT)", "Low"),
            ],
        ),
        group("QDe.001", "LONG NAME FRONT (LNF)"),
    )
    index = NameIndex(parse_un_list(listed))
    assert index.look_up("Ana Testo")[0].name == "Ana Testo"
    assert index.look_up("Umar Testo")[0].name == "Umar Testo"
    assert index.look_up("Амир Хазмат")[0].name == "Амир Хазмат"
    assert index.look_up("LNF")[0].name == "LNF"
    assert index.look_up("previously listed as") == []


def _edited(name: str, chance: random.Random) -> str:
    place = chance.choice([i for i, letter in enumerate(name) if letter.isalpha()])
    instead = chance.choice(["", chance.choice("abcdefghijklmnopqrstuvwxyz"), name[place] * 2])
    return name[:place] + instead + name[place + 1 :]


def _without_a_word(name: str, chance: random.Random) -> str:
    words = name.split()
    words.remove(chance.choice(words))
    return " ".join(words)


def _shuffled(name: str, chance: random.Random) -> str:
    words = name.split()
    chance.shuffle(words)
    return " ".join(words)


@pytest.mark.parametrize(
    "change,words,least",
    [(_edited, 1, 0.9), (_without_a_word, 3, 0.9), (_shuffled, 2, 0.9)],
    ids=["edited", "without-a-word", "shuffled"],
)
def test_a_changed_name_of_the_real_list_is_among_the_first_five(
    real: UnList, real_index: NameIndex, change: Callable[[str, random.Random], str], words: int, least: float
) -> None:
    chance = random.Random(0)
    names = [
        each for each in real.entries.values() if len(each.name.split()) >= words and len(each.name) < 80
    ]
    asked = [(entry.reference, change(entry.name, chance)) for entry in chance.sample(names, 30)]
    found = [
        reference in [hit.entry.reference for hit in real_index.look_up(name)[:5]]
        for reference, name in asked
    ]
    assert sum(found) / len(found) >= least


def test_an_original_name_is_found_by_its_latin_ones_alone(real: UnList) -> None:
    persons = [each for each in real.entries.values() if each.kind == "individual" and each.original]
    latin = {
        each.reference: replace(
            each, original="", aliases=tuple(alias for alias in each.aliases if alias.name.isascii())
        )
        for each in persons
    }
    index = NameIndex(UnList(real.generated, latin))
    asked = persons[::6]
    found = [
        each.reference in [hit.entry.reference for hit in index.look_up(each.original)[:5]] for each in asked
    ]
    assert len(found) > 50
    assert sum(found) / len(found) >= 0.9


@pytest.fixture(scope="module")
def real_index(real: UnList) -> NameIndex:
    return NameIndex(real)
