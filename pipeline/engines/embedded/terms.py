"""Words by which people recognise invoices and receipts, in the languages of Europe and in Chinese and Japanese.

Folded as ``fold`` does: lower case, without accents and blanks. A term counts once, however often it is printed.
"""

from __future__ import annotations

import re
import unicodedata

INVOICE = """
invoice; invoice no; invoice number; invoice date; bill to; billed to; sold to; due date; payment terms; amount due; balance
due; payable to; credit note; remittance; purchase order; account number; sort code; vat number; rechnung; rechnungsnummer;
rechnungs-nr; rechnungsnr; rechnungsdatum; kundennummer; kunden-nr; zahlungsziel; zahlbar bis; zahlungsbedingungen;
leistungsdatum; lieferdatum; bankverbindung; ust-idnr; umsatzsteuer-id; steuernummer; gutschrift; nettobetrag;
rechnungsbetrag; gesamtbetrag; uberweisung; fallig; rechnungsempfanger; facture; facture n; numero de facture; date de
facture; date d'echeance; echeance; total ht; total ttc; net a payer; conditions de reglement; tva intracommunautaire;
siret; avoir; client n; code client; adresse de facturation; prix unitaire; montant ht; factura; fecha de factura; numero de
factura; vencimiento; base imponible; cliente; forma de pago; importe total; precio unitario; fattura; numero fattura; data
fattura; partita iva; scadenza; imponibile; codice fiscale; spett.le; destinatario; modalita di pagamento; factuur;
factuurnummer; factuurdatum; vervaldatum; betalingstermijn; klantnummer; btw-nummer; te betalen; kvk; faktura; faktura vat;
numer faktury; data wystawienia; termin platnosci; nabywca; sprzedawca; do zaplaty; nr konta; fatura; data de vencimento;
data de emissao; nota fiscal; contribuinte; fakturanummer; fakturadatum; fakturadato; forfallodatum; forfallsdato;
forfaldsdato; betalningsvillkor; kundnummer; cislo faktury; datum splatnosti; odberatel; dodavatel; variabilni symbol;
szamla; szamlaszam; fizetesi hatarido; laskun numero; erapaiva; rekins; pavadzime; maksatajs; saskaita; iban; bic; swift;
发票; 发票号码; 發票號碼; 开票日期; 购买方; 销售方; 请付款; 請求書; 請求番号; 支払期限; 振込先
"""
RECEIPT = """
receipt; cash receipt; cashier; cash; change; change due; cash tendered; tendered; amount tendered; card number; approval
code; auth code; thank you for shopping; thank you; please come again; goods sold are not; exchange or refund; till; server;
table no; terminal; rounding; rounding adjustment; total incl; gst summary; tax invoice; simplified tax invoice; item count;
qty; visa; mastercard; debit; pos; you saved; kassenbon; kassenbeleg; quittung; bon-nr; bonnr; beleg-nr; belegnr; bar;
gegeben; ruckgeld; zuruck; kasse; kassierer; bediener; es bediente; girocard; kartenzahlung; kundenbeleg; vielen dank;
tse-signatur; tse; ticket de caisse; ticket; especes; rendu; rendu monnaie; caisse; caissier; carte bancaire; merci de votre
visite; merci; vendeur; recibo; tique; efectivo; cambio; caja; cajero; gracias; gracias por su visita; tarjeta; scontrino;
documento commerciale; contante; contanti; resto; cassa; grazie; arrivederci; pagamento elettronico; kassabon; contant;
wisselgeld; pinnen; bedankt; tot ziens; bankpas; betaald; klantticket; paragon; paragon fiskalny; gotowka; reszta; kasa;
kasjer; suma pln; dziekujemy; karta platnicza; kvitto; kontant; vaxel; kassor; tack for besoket; kvittering; byttepenge;
kuitti; kateinen; ceks; cek nr; kase; kasieris; skaidra nauda; skaidra; samaksai; samaksats; atlikums; kopsumma; paldies;
pvn; kviitung; sularaha; kvitas; grynais; uctenka; hotovost; vraceno; nyugta; keszpenz; visszajaro; troco; dinheiro;
obrigado; bon fiscal; numerar; 小票; 收银; 收銀; 找零; 现金; 實收; 实收; 谢谢惠顾; 領収; レシート; お預り; お釣り; 現計
"""


def fold(text: str) -> str:
    """Lower case, without accents."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in plain if not unicodedata.combining(character)).replace("ł", "l")


def _pattern(terms: str) -> re.Pattern[str]:
    """One expression for all terms; blanks inside a term are optional, as OCR loses them, and letters may not touch it."""
    parts = sorted({fold(term.strip()) for term in terms.replace("\n", " ").split(";") if term.strip()}, key=len, reverse=True)
    return re.compile("|".join(_bounded(part) for part in parts))


def _bounded(term: str) -> str:
    body = r"\s?".join(re.escape(word) for word in term.split())
    if len(term) >= 9 or not term.isascii():
        return body
    return rf"(?<![a-z]){body}(?![a-z])"


_INVOICE, _RECEIPT = _pattern(INVOICE), _pattern(RECEIPT)


def terms(text: str) -> tuple[set[str], set[str]]:
    """The different invoice terms and receipt terms in a text that ``fold`` made."""
    invoice = {"".join(match.split()) for match in _INVOICE.findall(text)}
    return invoice, {"".join(match.split()) for match in _RECEIPT.findall(text)}


_HEADING = re.compile(
    r"\W*(tax|proforma|vat)?(invoice|rechnung|gutschrift|facture|avoir|factura|fattura|factuur|faktura|fatura|creditnote|szamla|lasku"
    r"|arve|rekins|发票|發票|請求書)\W*"
)


def heading(word: str) -> bool:
    """Whether a folded word is what invoices are headed with."""
    return bool(_HEADING.fullmatch(word))
