"""Codes of payments, invoices and receipts: each standard with an example, and texts that are made to do harm."""

from __future__ import annotations

import base64
import json
import lzma
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.words.codes.read_codes import MAX_LETTERS, PARSERS, parse_code


def tlv(*values: str) -> str:
    parts = [bytes([tag, len(value.encode())]) + value.encode() for tag, value in enumerate(values, 1)]
    return base64.b64encode(b"".join(parts)).decode()


def jwt(data: object) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part({'data': json.dumps(data), 'iss': 'NIC'})}.{'Qx_-' * 80}"


def by_square(*fields: str, crc: int | None = None) -> str:
    content = "\t".join(fields).encode()
    content = (zlib.crc32(content) if crc is None else crc).to_bytes(4, "little") + content
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 17, "lc": 3, "lp": 0, "pb": 2}]
    packed = b"\0\0" + len(content).to_bytes(2, "little") + lzma.compress(content, lzma.FORMAT_RAW, filters=filters)
    return base64.b32hexencode(packed).decode().rstrip("=")


def serbian_link(hundredths: int = 26_600_000, milliseconds: int = 1_741_200_000_000) -> str:
    counters = (171).to_bytes(4, "little") * 2
    content = (
        b"\x03KELP1234SALT5678" + counters + hundredths.to_bytes(8, "little") + milliseconds.to_bytes(8, "big") + bytes(300)
    )
    return f"https://suf.purs.gov.rs/v/?vl={base64.b64encode(content).decode()}"


SWISS = [
    *("SPC", "0200", "1", "CH4431999123000889012", "S", "Robert Schneider AG", "Rue du Lac", "1268", "2501", "Biel", "CH"),
    *[""] * 7,
    *("1949.75", "CHF", "S", "Pia-Maria Rutschmann", "Grosse Marktgasse", "28", "9400", "Rorschach", "CH"),
    *("QRR", "210000000003139471430009017", "Order of 15.06.2020", "EPD"),
    "//S1/10/10201409/11/190512/20/1400.000-53/30/106017086/31/180508/32/7.7/40/2:10;0:30",
]
SLIP = ["HRVHUB30", "EUR", "000000000012355", "ZELJKO SENEKOVIC", "", "", "2DBK d.d.", "ULICA 1", "ZAGREB"]
UPN = ["UPNQR", "", "", "", "", "Janez", "Lepa 1", "Koper", "00000002050", "", "", "RENT", "Racun 17", "31.05.2024"]
EXAMPLES = {
    "EPC": (
        "BCD\n002\n1\nSCT\nBPOTBEB1\nRed Cross of Belgium\nBE72000000001616\nEUR1.5\nCHAR\n\nUrgency fund\nSample",
        {"BT-84": "BE72000000001616", "BT-115": "1.50", "BT-5": "EUR", "BT-83": "Urgency fund", "BT-86": "BPOTBEB1"},
    ),
    "Swiss QR bill": (
        "\n".join(SWISS),
        {
            "BT-84": "CH4431999123000889012",
            "BT-115": "1949.75",
            "BT-5": "CHF",
            "BT-83": "210000000003139471430009017",
            "BT-1": "10201409",
            "BT-2": "2019-05-12",
            "BT-9": "2019-06-11",
            "BT-31": "CHE106017086",
        },
    ),
    "ZATCA": (
        tlv("Bobs Records", "310122393500003", "2022-04-25T15:30:00Z", "1000.00", "150.00"),
        {"BT-27": "Bobs Records", "BT-31": "310122393500003", "BT-2": "2022-04-25", "BT-112": "1000.00", "BT-110": "150.00"},
    ),
    "GST India": (
        jwt(
            {
                "SellerGstin": "29AABCT1332L000",
                "BuyerGstin": "29AWGPV7107B1Z1",
                "DocNo": "DOC/001",
                "DocTyp": "INV",
                "DocDt": "18/08/2020",
                "TotInvVal": 12908.0,
                "ItemCnt": 1,
            }
        ),
        {"BT-1": "DOC/001", "BT-2": "2020-08-18", "BT-3": "380", "BT-31": "29AABCT1332L000", "BT-112": "12908.00"},
    ),
    "VERI*FACTU": (
        "https://www2.agenciatributaria.gob.es/wlpl/TIKE-CONT/ValidarQR?nif=89890001K&numserie=12345678%26G33&fecha=01-09-2024&importe=241.4",
        {"BT-31": "89890001K", "BT-1": "12345678&G33", "BT-2": "2024-09-01", "BT-112": "241.40"},
    ),
    "ATCUD": (
        "A:123456789*B:999999990*C:PT*D:FT*E:N*F:20191231*G:FT AB2019/0035*H:CSDF7T5H-0035*I1:PT*I2:12000.00*I7:4000.00*I8:520.00*"
        "N:3620.00*O:25600.00*Q:TTD6*R:9999*S:NU;0.80",
        {"BT-1": "FT AB2019/0035", "BT-2": "2019-12-31", "BT-31": "123456789", "BT-110": "3620.00", "BT-112": "25600.00"},
    ),
    "SPD": (
        "SPD*1.0*ACC:CZ5855000000001265098001+RZBCCZPP*AM:480.50*CC:CZK*RN:ZALOHA*DT:20240131*X-VS:1234567890*"
        "X-INV:SID%2A1.0%2AID:2024-17%2ADD:20240117%2AVII:CZ12345678%2AAM:480.50",
        {
            "BT-84": "CZ5855000000001265098001",
            "BT-115": "480.50",
            "BT-9": "2024-01-31",
            "BT-83": "1234567890",
            "BT-1": "2024-17",
        },
    ),
    "PAY by square": (
        by_square(
            "", "1", "1", "23.90", "EUR", "20240531", "4711", "", "", "", "", "1", "SK6807200002891987426353", "", "0", "0"
        ),
        {"BT-84": "SK6807200002891987426353", "BT-115": "23.90", "BT-5": "EUR", "BT-9": "2024-05-31", "BT-83": "4711"},
    ),
    "RKSV": (
        "_R1-AT1_DEMO-CASH-BOX817_83469_2015-11-25T19:20:11_21,15_2,00_0,00_0,00_1,85_GMV5vhaK9iE=_3667961875706356849_cq3aq=_Tw7=",
        {"BT-1": "83469", "BT-2": "2015-11-25", "BT-112": "25.00", "BT-5": "EUR"},
    ),
    "TSE": (
        "V0;955002-00;Kassenbeleg-V1;Beleg^0.00_2.55_0.00_0.00_1.00^3.55:Bar;18;112;2019-07-10T18:41:02.000Z;2019-07-10T18:41:04.000Z;"
        "ecdsa-plain-SHA256;unixTime;MEQCIAy4P9k=;BHhWOeisRpPB",
        {"BT-2": "2019-07-10", "BT-112": "3.55"},
    ),
    "JIR/ZKI": (
        "https://porezna.gov.hr/rn?jir=d7baac44-4b10-4404-a9ee-bbd0a9a2eb30&datv=20240714_1145&izn=2599",
        {"BT-2": "2024-07-14", "BT-112": "25.99"},
    ),
    "HUB 3": (
        "\n".join([*SLIP, "HR1210010051863000160", "HR01", "7269-68949637676-00019", "COST", "Troskovi"]),
        {"BT-84": "HR1210010051863000160", "BT-115": "123.55", "BT-83": "HR01 7269-68949637676-00019", "BT-5": "EUR"},
    ),
    "FURS": (
        "2233" * 9 + "224" + "10039856" + "150810" + "125900" + str((10 * 9 + 8 + 32 + 15 + 17) % 10),
        {"BT-31": "10039856", "BT-2": "2015-08-10"},
    ),
    "UPN QR": (
        "\n".join(
            [*UPN, "SI56020360253863406", "SI00225268-32526-222", "Podjetje d.o.o.", "Lepa cesta 15", "3698 Loski Potok", "187"]
        ),
        {"BT-84": "SI56020360253863406", "BT-115": "20.50", "BT-9": "2024-05-31", "BT-83": "SI00225268-32526-222"},
    ),
    "SUF": (serbian_link(), {"BT-1": "KELP1234-SALT5678-171", "BT-2": "2025-03-05", "BT-112": "2660.00"}),
    "NBS IPS QR": (
        "K:PR|V:01|C:1|R:845000000040484987|N:JP EPS BEOGRAD|I:RSD3596,13|SF:189|S:UPLATA|RO:97163220000111111111000",
        {"BT-84": "845000000040484987", "BT-115": "3596.13", "BT-5": "RSD", "BT-83": "97163220000111111111000"},
    ),
    "CFDI": (
        "https://verificacfdi.facturaelectronica.sat.gob.mx/default.aspx?id=5803EB8D-81CD-4557-8719-26632D2FA434&re=XOCD720319T86&"
        "rr=CARR861127SB0&tt=0000014300.000000&fe=rH8/bw==",
        {"BT-31": "XOCD720319T86", "BT-48": "CARR861127SB0", "BT-112": "14300.00"},
    ),
    "AFIP": (
        "https://www.afip.gob.ar/fe/qr/?p="
        + base64.b64encode(
            b'{"ver":1,"fecha":"2020-10-13","cuit":30000000007,"ptoVta":10,"tipoCmp":1,"nroCmp":94,"importe":12100,"moneda":"DOL",'
            b'"ctz":65,"tipoDocRec":80,"nroDocRec":20000000001,"tipoCodAut":"E","codAut":70417054367476}'
        ).decode(),
        {"BT-1": "00010-00000094", "BT-2": "2020-10-13", "BT-31": "30000000007", "BT-112": "12100", "BT-5": "USD"},
    ),
    "fapiao": (
        "01,10,044001900111,12345678,200.50,20240517,12345678901234567890,A1B2,",
        {"BT-1": "12345678", "BT-2": "2024-05-17", "BT-109": "200.50"},
    ),
}
"""Examples by standard: those that the standards print, shortened where nothing is read from the rest, or of our own."""


@pytest.mark.parametrize("standard", list(PARSERS))
def test_each_standard_gives_its_values_and_no_other_parser_takes_its_code(standard: str) -> None:
    text, expected = EXAMPLES[standard]
    parsed = parse_code(text)
    assert parsed
    name, facts = parsed
    assert name == standard
    assert {term: facts.get(term) for term in expected} == expected
    assert [other for other, parse in PARSERS.items() if parse(text)] == [standard]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4006381333931",
        "https://example.com/?nif=89890001K&numserie=1&fecha=01-09-2024&importe=241.4",
        "https://agenciatributaria.gob.es.example.com/wlpl/TIKE-CONT/ValidarQR?nif=89890001K&importe=1",
        "BEGIN:VCARD\nVERSION:3.0\nN:Kelp;Salty\nEND:VCARD",
        "WIFI:T:WPA;S:kelp;P:secret;;",
    ],
)
def test_codes_for_other_purposes_state_nothing(text: str) -> None:
    assert parse_code(text) is None


def test_an_open_amount_is_none_and_an_impossible_date_is_left_out() -> None:
    open_bill = "\n".join("0.00" if line == "1949.75" else line for line in SWISS)
    parsed = parse_code(open_bill)
    assert parsed
    assert "BT-115" not in parsed[1]
    late = parse_code(tlv("Kelp", "310122393500003", "2022-02-31", "1000.00", "150.00"))
    assert late
    assert "BT-2" not in late[1]


def test_a_time_near_midnight_that_may_be_another_day_there_gives_no_day() -> None:
    for text in (
        tlv("Kelp", "310122393500003", "2022-04-25T22:30:00Z", "1000.00", "150.00"),
        EXAMPLES["TSE"][0].replace("T18:41:04", "T23:41:04"),
        serbian_link(milliseconds=1_741_217_000_000),
    ):
        parsed = parse_code(text)
        assert parsed
        assert "BT-2" not in parsed[1]
        assert "BT-112" in parsed[1]


@pytest.mark.parametrize(
    "text",
    [
        by_square("", "1", "1", "23.90", *["x"] * 12, crc=7),
        base64.b32hexencode(b"\0\0\xff\xff" + bytes(40)).decode(),
        jwt({"SellerGstin": ["29AABCT1332L000"]}),
        "e30.W1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tb.e30",
        "A." * 2_000,
        base64.b64encode(b"\x01\xff" * 50).decode(),
        base64.b64encode(b"\x02\x0f310122393500003" * 3).decode(),
        "https://[::1/v/?vl=x",
        "https://suf.purs.gov.rs/v/?vl=" + "A" * 4_000,
        "https://www.afip.gob.ar/fe/qr/?p=" + base64.b64encode(b"[" * 2_000).decode(),
        "https://porezna.gov.hr/rn?" + "&".join(f"jir{n}=1" for n in range(400)),
        "V0;" * 1_000,
        "SPD*1.0*" + "X-INV:SPD*" * 400,
        "BCD\n002\n1\nSCT\n\n\n\nEUR" + "9" * 3_000,
        "1" * (MAX_LETTERS + 1),
    ],
)
def test_a_hostile_code_states_nothing(text: str) -> None:
    assert parse_code(text) is None


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    parse_code(text)


@given(st.sampled_from([text for text, _ in EXAMPLES.values()]), st.integers(0, 600), st.text(max_size=12), st.integers(0, 12))
def test_a_damaged_code_gives_values_of_the_form_of_values(text: str, at: int, instead: str, gone: int) -> None:
    parsed = parse_code(text[:at] + instead + text[at + gone :])
    for term, value in (parsed[1] if parsed else {}).items():
        assert 0 < len(value) <= 140, term
        assert value.isprintable()
        if term in ("BT-109", "BT-110", "BT-112", "BT-115"):
            assert value.lstrip("-").replace(".", "", 1).isdecimal()
        if term in ("BT-2", "BT-9"):
            assert len(value) == 10
