"""Words by which people recognise invoices and receipts, in the languages of Europe and in Chinese and Japanese.

Folded as ``fold`` does: lower case, without accents and blanks. A term counts once, however often it is printed.
"""

from __future__ import annotations

import re
import unicodedata

INVOICE = """
nota di credito; nota de credito; creditnota; faktura korygujaca;
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


_NAMES = """
invoice; rechnung; facture; factura; fattura; factuur; faktur; fatura; szamla; lasku; rekin; pavadzime; saskaita; nota fiscal;
credit note; nota di credito; nota de credito; creditnota; gutschrift; avoir; 发票; 發票; 請求
"""
"""What an invoice, and no other paper, calls itself: at least one of its terms holds one of these."""
_BORNE = """
remittance; purchase order; account number; sort code; vat number; kundennummer; kunden-nr; lieferdatum; bankverbindung; ust-idnr;
umsatzsteuer-id; steuernummer; uberweisung; tva intracommunautaire; siret; client n; code client; cliente; forma de pago; partita iva;
codice fiscale; spett.le; destinatario; klantnummer; btw-nummer; kvk; nabywca; sprzedawca; nr konta; data de emissao; data wystawienia;
contribuinte; kundnummer; odberatel; dodavatel; iban; bic; swift
"""
"""Terms that any paper of business bears."""
_OTHERS = """
order confirmation; confirmation of order; sales order; auftragsbestatigung; bestellbestatigung; confirmation de commande;
confirmation de votre commande; confirmacion de pedido; confirmacion del pedido; conferma d'ordine; conferma ordine;
orderbevestiging; potwierdzenie zamowienia; confirmacao de encomenda; confirmacao de pedido; confirmacao da encomenda;
delivery note; packing slip; packing list; dispatch note; goods received note; lieferschein; packzettel; bon de livraison;
bordereau de livraison; albaran; nota de entrega; documento di trasporto; bolla di consegna; pakbon; leveringsbon; vrachtbrief; list
przewozowy; dokument wz; wydanie zewnetrzne; guia de remessa; guia de transporte; quotation; quote; estimate; angebot;
kostenvoranschlag; devis; presupuesto; preventivo; offerte; oferta; oferta handlowa; orcamento; proposta comercial; purchase order;
bestellung; bon de commande; orden de compra; ordine di acquisto; ordine d'acquisto; inkooporder; bestelbon; zamowienie; nota de
encomenda; ordem de compra; pedido de compra; bank statement; account statement; statement of account; monthly statement;
kontoauszug; releve de compte; releve bancaire; extracto de cuenta; extracto bancario; estratto conto; rekeningafschrift; wyciag z
rachunku; wyciag bankowy; extrato de conta; extrato bancario; contract note; payslip; pay slip; lohnabrechnung; gehaltsabrechnung;
entgeltabrechnung; bulletin de paie; bulletin de salaire; fiche de paie; nomina; busta paga; loonstrook; pasek wynagrodzen; recibo de
vencimento
"""
_NOTICES = """
payment reminder; reminder notice; first reminder; second reminder; final reminder; final notice; overdue notice; past due notice;
zahlungserinnerung; mahnung; erste mahnung; zweite mahnung; letzte mahnung; rappel de paiement; lettre de rappel; relance;
mise en demeure; recordatorio de pago; aviso de pago pendiente; sollecito di pagamento; sollecito pagamento; betalingsherinnering;
aanmaning; wezwanie do zaplaty; przypomnienie o platnosci; lembrete de pagamento; aviso de cobranca
"""
_TOTALS = """
total; summe; gesamt; zu zahlen; totale; totaal; te betalen; suma; razem; somme; importe; a pagar; kopa; jumlah; 合計; 合计
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


OTHERS, NOTICES, TOTALS = _pattern(_OTHERS), _pattern(_NOTICES), _pattern(_TOTALS)
"""Papers that look like invoices and are none; reminders, which name the invoice that they remind of; what tills print before a sum."""
RECEIVED = re.compile(
    r"(payment |sales |cash )?receipt\b|quittung|zahlungsbeleg|zahlungsbestatigung|recu\b|recibo|ricevuta|kwitantie|betaalbewijs"
    r"|potwierdzenie (za)?platnosci|potwierdzenie zaplaty|kvitto|kvittering|kuitti"
)
"""How a receipt on letter paper is headed."""
NUMBERED = re.compile(
    r"(tax |commercial )?invoice\b.*\d|(?!\w*(?:ab|be|um)rechnung)\w*rechnung\b.*\d|(facture|factura|fattura|factuur|faktura|fatura)\b.*\d",
    re.DOTALL,
)
"""A line that names an invoice and its number: "Schlussrechnung Nr. 118"."""
_NAMED = re.compile("|".join(re.escape("".join(name.split())) for name in _NAMES.split(";")))
_BORNE_TERMS = {"".join(fold(term).split()) for term in _BORNE.split(";")}


def invoice_evidence(found: set[str]) -> tuple[int, int, int]:
    """Of the invoice terms that ``terms`` found: how many name an invoice, ask for payment, or stand on any paper of business."""
    named = {term for term in found if _NAMED.search(term)}
    borne = (found - named) & _BORNE_TERMS
    return len(named), len(found - named - borne), len(borne)


_HEADING = re.compile(
    r"\W*(tax|proforma|vat)?(invoice|rechnung|gutschrift|facture|avoir|factura|fattura|factuur|faktura|fatura|creditnote|szamla|lasku"
    r"|arve|rekins|发票|發票|請求書)\W*"
)


def heading(word: str) -> bool:
    """Whether a folded word is what invoices are headed with."""
    return bool(_HEADING.fullmatch(word))
