from __future__ import annotations

import pytest

from pipeline.records import Word
from pipeline.words.soundness import is_mostly_picture, is_sound

from .drawing import LETTER_LINES, word

PAGE = (600.0, 800.0)


def words_of(text: str) -> list[Word]:
    return [word(part, x=40 + 60 * (n % 8), y=40 + 14 * (n // 8)) for n, part in enumerate(text.split())]


SOUND = {
    "English": " ".join(LETTER_LINES),
    "German": "Größenänderungen müssen über das Büro geprüft werden – für 20,00 € je Stück",
    "French": "Où êtes-vous né ? Ça coûte 1 234,50 € à l’unité, « très cher »",
    "Russian": "Счёт на оплату № 15 от 3 марта, всего 1250,00 руб.",
    "Greek": "Τιμολόγιο πώλησης με αριθμό 15 και σύνολο 20,00 €",
    "Chinese": "发票 号码 12345 合计 金额 ￥100.00 购买方 名称",
    "Japanese": "請求書 番号 カタカナ ひらがな 合計 ￥1,000",
    "Arabic": "فاتورة رقم ١٢٣ المبلغ الإجمالي",
    "Hindi": "चालान संख्या १२३ कुल राशि रुपये",
    "Thai": "ใบเสร็จรับเงิน เลขที่ 123 รวมทั้งสิ้น",
    "figures": "12.50 3.00 7.25 100.00 19% 45 2024-01-31 1,234.00",
    "leaders": "Chapter one .................... 3 Chapter two .................... 17",
    "one icon": "Call us ring +49 30 1234567 any time \ue0b0 we answer every call gladly and quickly",
}
BROKEN = {
    "mojibake": "GrÃ¶Ãe fÃ¼r StÃ¼ck Ã¼ber BÃ¼ro PrÃ¤zision",
    "replacement": "\ufffd\ufffd\ufffd \ufffd\ufffdab \ufffd\ufffd\ufffd\ufffd to\ufffd\ufffdal",
    "private use": "\uf041\uf042\uf043 \uf044\uf045 \uf046\uf047\uf048 abc",
    "cid": "(cid:12)(cid:33) (cid:7)(cid:8) total",
    "controls": "\x01\x02\x03 \x05\x06abc \x0e\x0f",
    "signs": "%&/ ()= ?!§ $%& ##+ *~^ <>| ab",
    "shifted scripts": "aЖα文 bЩβ字 cЮγ本 dЯδ語 eЭεम fЫζा gЪη한 hЬθ글",
    "nothing": "",
}


@pytest.mark.parametrize("name", SOUND)
def test_ordinary_text_is_sound_in_any_script(name: str) -> None:
    assert is_sound(words_of(SOUND[name]), *PAGE)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_text_layer_is_not_sound(name: str) -> None:
    assert not is_sound(words_of(BROKEN[name]), *PAGE)


def test_text_in_one_place_is_not_sound() -> None:
    assert not is_sound([word(part, x=40, y=40) for part in SOUND["English"].split()], *PAGE)


def test_text_outside_the_page_is_not_sound() -> None:
    assert not is_sound([word(part, x=40 + 9 * n, y=-300) for n, part in enumerate(SOUND["English"].split())], *PAGE)


def test_text_without_extent_is_not_sound() -> None:
    flat = [Word(part, (40, 14.0 * n, 40, 14.0 * n), n) for n, part in enumerate(SOUND["English"].split())]
    assert not is_sound(flat, *PAGE)


FULL = [(0.0, 0.0, 600.0, 800.0)]


def test_a_scan_is_mostly_picture_also_in_strips() -> None:
    assert is_mostly_picture(FULL, *PAGE)
    assert is_mostly_picture([(0.0, 100.0 * n, 600.0, 100.0 * (n + 1)) for n in range(8)], *PAGE)


def test_a_page_with_a_logo_or_without_pictures_is_not() -> None:
    assert not is_mostly_picture([(20, 20, 200, 100)], *PAGE)
    assert not is_mostly_picture([], *PAGE)
