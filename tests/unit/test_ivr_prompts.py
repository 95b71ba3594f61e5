"""The script file as a record, and how written words become spoken ones."""

import unicodedata

import pytest

from domain.errors import ConfigError
from ivr.prompts import PROMPT_NAMES, Catalogue, parse_script, spoken_form

SENTENCES = "\n".join(f'{name} = "Câu {name.replace("_1", "")}"' for name in PROMPT_NAMES)
SCRIPT = f"""
version = "vi-1"
voice = "vi"
[sentences]
{SENTENCES}
[spoken]
48 = "bốn mươi tám"
"""
TABLE = {
    "MobiFone": "Mô bi phôn",
    "9090": "chín không chín không",
    "2G": "hai gờ",
    "4G": "bốn gờ",
    "48": "bốn mươi tám",
    "2": "hai",
    "sim": "sim",
    "My MobiFone": "mai Mô bi phôn",
}


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("gọi MobiFone 9090.", "gọi Mô bi phôn chín không chín không."),
        ("sóng 2G, sim 4G", "sóng hai gờ, sim bốn gờ"),
        ("SIM 4g", "sim bốn gờ"),
        ("trong vòng 48 giờ", "trong vòng bốn mươi tám giờ"),
        ("bấm phím 2.", "bấm phím hai."),
        ("My MobiFone", "mai Mô bi phôn"),
        ("simple Esim", "simple Esim"),
        ("không có gì", "không có gì"),
    ],
)
def test_written_words_are_said_as_the_table_says(written: str, spoken: str) -> None:
    assert spoken_form(written, TABLE) == spoken


@pytest.mark.parametrize("word", ["9231", "5G", "480", "90"])
def test_a_word_with_a_digit_needs_a_spoken_form(word: str) -> None:
    with pytest.raises(ConfigError, match=f'"{word}"'):
        spoken_form(f"gửi {word} nhé", TABLE)


def test_a_spoken_form_with_a_digit_is_refused() -> None:
    with pytest.raises(ConfigError, match='"0"'):
        spoken_form("gọi 9090", {"9090": "chín 0 chín 0"})


def test_decomposed_letters_are_composed() -> None:
    text = SCRIPT.replace("Câu notice", "Tổng đài hỗ trợ 48 giờ")
    decomposed = unicodedata.normalize("NFD", text)
    assert decomposed != text
    script = parse_script(decomposed)
    assert script == parse_script(text)
    assert script.sentences["notice"] == "Tổng đài hỗ trợ 48 giờ"
    assert script.spoken["notice"] == "Tổng đài hỗ trợ bốn mươi tám giờ"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('version = "vi-1"', "", "key missing: version"),
        ('version = "vi-1"', 'version = "../vi"', "version must be"),
        ('version = "vi-1"', "version = 1", "version must be"),
        ('voice = "vi"', 'voice = "en"', "voice must be one of: vi, vi-vn-x-south"),
        ('voice = "vi"', 'voice = ["vi"]', "voice must be one of"),
        ("[spoken]", "[speken]", "key missing: spoken"),
        ("[sentences]", "speed = 3\n[sentences]", "unknown key: speed"),
        ('close = "Câu close"', "", "sentence missing: close"),
        ("[spoken]", 'clsoe = "x"\n[spoken]', "unknown sentence: clsoe"),
        ('"Câu close"', '" "', "sentences.close must be one line of text"),
        ('"Câu close"', '"một\\nhai"', "sentences.close must be one line of text"),
        ('"Câu close"', "7", "sentences.close must be one line of text"),
        ('"Câu close"', '"số 9231"', 'no spoken form for "9231"'),
        ('"bốn mươi tám"', "48", "spoken.48 must be one line of text"),
        ('voice = "vi"', "voice = vi", "is not TOML"),
    ],
)
def test_a_script_that_cannot_be_used_is_refused(old: str, new: str, complaint: str) -> None:
    assert old in SCRIPT
    with pytest.raises(ConfigError, match=complaint):
        parse_script(SCRIPT.replace(old, new))


def test_the_catalogue_names_media_as_asterisk_finds_them() -> None:
    catalogue = Catalogue("vi-1", {"close": 3.5})
    assert catalogue.media("close") == "sound:tstn/vi-1/close"
    assert catalogue.seconds("close") == 3.5
    with pytest.raises(KeyError):
        catalogue.media("clsoe")
