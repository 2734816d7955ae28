"""Words about documents in general that no template has to list: labels of other things, legal forms, titles, filler.

Labels of other things keep values away from fields that do not ask for them ("Cash 50.00" is no total). A template's own
labels take precedence: a delivery note that asks for an order number simply lists that label.
"""

from __future__ import annotations

import re

from pipeline.values.currencies import parse_currency

_OTHER_LABELS = """
cash; cash tendered; tendered; amount tendered; paid; paid amount; payment; change; change due; change given; rounding;
rounding adj; rounding adjustment; rounding error; round adj; card; credit card; debit card; visa; mastercard; visa card;
discount; total discount; disc; total savings; you saved; savings; tips; tip; deposit; balance brought forward; previous
balance; points; point balance; loyalty points; member; qty; total qty; total quantity; total items; total item; no of
items; item count; items; number of items; total weight; count; gst rate; vat rate; tax rate; tax code; tax invoice; rate;
price; unit price; unit cost; order number; order no; order id; order #; order date; your order; your reference; our
reference; reference; reference no; ref; ref no; po; po number; po no; po #; purchase order; purchase order number; purchase
order no; customer number; customer no; customer id; client id; client no; client number; account number; account no;
account #; a/c no; delivery note; delivery note no; delivery date; date of supply; ship date; shipping date; shipped date;
shipping; shipping cost; freight; handling; service date; period; billing period; service period; contract; contract number;
phone; tel; telephone; fax; mobile; e-mail; email; website; iban; bic; swift; sort code; bank; bank account; routing number;
page; terminal; terminal id; till; register; cashier; operator; server; table; pos; station; staff; approval code; auth
code; merchant id; mid; tid; trace no; batch no; stan; rrn; aid; tvr; card no; member no; member id; company reg no; company
registration no; reg no; roc no; co reg no; registration no; store; store no; branch; sales rep; salesperson; terms; payment
terms; incoterms; weight; hs code; currency rate; exchange rate; gst summary; tax summary; print date; printed on; expiry
date; valid until; service charge; delivery charge; subtotal before discount; late fee; project; job; quote; quotation;
kundennummer; kunden-nr; kunden nr; kdnr; kd-nr; bestellnummer; bestell-nr; bestellung; bestellung vom; bestelldatum;
bestell-datum; auftragsnummer; auftrags-nr; auftragsdatum; auftrag; lieferschein; lieferschein-nr; lieferscheinnummer;
lieferscheindatum; lieferschein-datum; lieferdatum; leistungsdatum; leistungs-datum; leistungszeitraum; zeitraum;
abrechnungszeitraum; rechnungszeitraum; lieferantennummer; lief-nr; vertragsnummer; vertragskonto; ihre nummer; ihr zeichen;
unser zeichen; ihre referenz; referenz; projekt; projektnummer; bearbeiter; ansprechpartner; steuernummer; steuer-nr; st-nr;
handelsregister; hrb; hra; amtsgericht; geschäftsführer; telefon; telefax; konto; kontonr; konto-nr; kontonummer; blz;
bankverbindung; gläubiger-id; mandatsreferenz; skonto; abzüglich skonto; rabatt; rabattbetrag; versandkosten; porto; fracht;
anzahlung; erhaltene anzahlungen; anzahlungen; gegeben; bar; rückgeld; zurück; ec-karte; girocard; kartenzahlung;
terminal-id; bon-nr; kasse; bediener; seite; menge; gewicht; anzahl; steuersatz; mwst-satz; ust-satz; basisbetrag;
steuerbasisbetrag; artikelnummer; art-nr; gln; gtin; ean; gesamtbetrag der zuschläge; gesamtbetrag der abschläge; summe
positionen; numéro client; n° client; id client; code client; référence; référence client; votre référence; notre référence;
n° commande; numéro de commande; bon de commande; n° bc; bc #; date de commande; commande; bon de livraison; n° bl; date de
livraison; date de prestation; période; siret; siren; rcs; ape; naf; code ape; capital; téléphone; tél; fax; mobile;
courriel; banque; rib; page; remise; escompte; acompte; acompte versé; frais de port; port; espèces; rendu; monnaie; carte
bancaire; cb; taux; taux tva; base; base ht; prix; prix unitaire; quantité; qté; vendeur; devis; n° de devis; contrat; n° de
contrat; numéro de contrat; numéro de ligne; commandé par; mode de règlement; conditions de règlement; número de cliente; nº
cliente; cliente nº; nº pedido; número de pedido; pedido; fecha de pedido; albarán; nº albarán; fecha de entrega;
referencia; su referencia; teléfono; móvil; correo; banco; cuenta; página; descuento; gastos de envío; efectivo; cambio;
entregado; tarjeta; tipo iva; tipo; forma de pago; vendedor; periodo; contrato; irpf; retención; codice cliente; cliente n;
ordine; numero ordine; data ordine; ddt; numero ddt; data ddt; data di consegna; riferimento; vostro riferimento; telefono;
cellulare; banca; pagina; sconto; spese di spedizione; contanti; resto; carta di credito; bancomat; aliquota; aliquota iva;
periodo; contratto; ritenuta d'acconto; pec; codice destinatario; sdi; rea; capitale sociale; modalità di pagamento;
klantnummer; klantnr; debiteurnummer; ordernummer; bestelnummer; besteldatum; orderdatum; pakbon; leverdatum; uw referentie;
onze referentie; referentie; kenmerk; kvk; kvk-nummer; kvk nr; telefoon; mobiel; rekeningnummer; pagina; korting;
verzendkosten; contant; wisselgeld; pin; pinnen; betaald; btw %; btw-tarief; periode; contractnummer; btw-bedrag over;
aantal; kassa; numer klienta; nr klienta; numer zamówienia; nr zamówienia; zamówienie; data zamówienia; data dostawy; wz;
regon; krs; bdo; telefon; nr konta; numer konta; konto; bank; strona; rabat; koszt wysyłki; gotówka; reszta; wydano; karta;
karta płatnicza; stawka; stawka vat; okres; umowa; sposób zapłaty; forma płatności; zapłacono; miejsce wystawienia; data
sprzedaży; data wykonania usługi; kasjer; kasa; 客户编号; 订单号; 订单编号; 订单日期; 合同号; 送货日期; 电话; 传真; 手机; 邮箱; 开户行; 账号; 银行账号; 页; 折扣; 运费;
现金; 找零; 实收; 税率; 数量; 单价; 收银员; 收款人; 复核; 开票人; 发票代码; 机器编号; 校验码; 会员; 地址、电话; 开户行及账号; skaidrā naudā; skaidra nauda; atlikums;
izsniegts; maksājumu karte; bankas karte; karte; atlaide; piešķirtās atlaides; kopā atlaides; bez pvn; pvn likme; kasieris;
kase; konta nr; čeka nr kopā; saņemts; atbilde; kods; tunai; baki; bayaran; diskaun; pelarasan; penggenapan; jumlah
kuantiti; kuantiti; juruwang; dinheiro; troco; desconto; telefone; telemóvel; nº encomenda; encomenda; cartão; multibanco;
taxa iva
"""
OTHER_LABELS = tuple(label for part in _OTHER_LABELS.split(";") if (label := " ".join(part.split())))

_NEUTRAL = frozenset(
    [
        "in",
        "of",
        "the",
        "to",
        "a",
        "is",
        "at",
        "by",
        "on",
        "for",
        "and",
        "no",
        "nr",
        "der",
        "die",
        "das",
        "den",
        "dem",
        "des",
        "am",
        "im",
        "von",
        "vom",
        "zum",
        "zur",
        "und",
        "ist",
        "le",
        "la",
        "les",
        "de",
        "du",
        "des",
        "et",
        "en",
        "au",
        "el",
        "los",
        "y",
        "del",
        "il",
        "lo",
        "di",
        "e",
        "het",
        "een",
        "van",
        "op",
        "w",
        "z",
        "do",
        "na",
        "inkl",
        "incl",
        "inc",
        "excl",
        "exkl",
        "includes",
        "including",
        "inclusive",
        "exclusive",
        "with",
        "without",
        "mit",
        "ohne",
        "per",
        "rm",
        "sr",
    ]
)
_WORD = re.compile(r"[^\W\d_]+")


def is_neutral(word: str) -> bool:
    """Filler beside a label that does not change its meaning: articles, currencies, values, anything in brackets."""
    if any(c.isdigit() for c in word) or word[:1] in "([" or word[-1:] in ")]":
        return True
    letters = "".join(_WORD.findall(word)).casefold()
    return not letters or letters in _NEUTRAL or parse_currency(word) is not None


_FORMS = (
    r"gmbh|mbh|ag|kg|ohg|gbr|ug|e\.?\s?k\.?|e\.?\s?v\.?|eg|kgaa|se|inc|incorporated|llc|l\.l\.c|ltd|limited|llp|plc|"
    r"corp|corporation|co|company|pty|pte|sdn\.?\s?bhd|sdn|bhd|s\.?\s?b|enterprise|trading|sarl|s\.a\.r\.l|sas|sasu|"
    r"s\.a\.s|eurl|sci|snc|s\.?\s?a|s\.?\s?l|s\.l\.u|slu|s\.?r\.?l|s\.?p\.?a|s\.?n\.?c|b\.?\s?v|n\.?\s?v|vof|"
    r"v\.o\.f|sp\.?\s?z\s?o\.?\s?o|spółka|s\.?\s?c|sia|as|a/s|aps|ab|oy|oyj|asa|uab|oü|s\.?r\.?o|a\.?\s?s|kft|zrt|"
    r"d\.?o\.?o|lda|ltda|unipessoal|restaurant|restoran|hotel|store|supermarket|pharmacy|verein|versicherung|"
    r"stiftung|association|foundation|university"
)
ORGANISATION = re.compile(rf"(?<![^\W_])(?:{_FORMS})(?![^\W_])\.?|公司|商行|店$|集团|有限", re.IGNORECASE)
"""Legal forms and words by which an organisation's name is told."""

_TITLES = """
invoice; tax invoice; simplified tax invoice; commercial invoice; proforma invoice; sales invoice; credit note; debit note;
receipt; official receipt; cash receipt; sales receipt; cash bill; cash sale; cash sales; bill; statement; guest check;
order; original; copy; duplicate; customer copy; merchant copy; thank you; welcome; reprint; delivery note; packing slip;
quotation; purchase order; page; description; details; gst tax invoice; invoice details; self-billed invoice; rechnung;
warenrechnung; gutschrift; beitragsrechnung; handelsrechnung; quittung; kassenbon; kassenbeleg; beleg; kopie; original;
lieferschein; angebot; auftragsbestätigung; mahnung; stornorechnung; teilrechnung; schlussrechnung; abschlagsrechnung;
facture; avoir; ticket; reçu; note; ticket de caisse; devis; facture d'avoir; duplicata; bon de livraison; merci; bienvenue;
factura; factura simplificada; factura rectificativa; recibo; ticket; nota de crédito; abono; albarán; presupuesto; gracias;
bienvenido; copia; fattura; ricevuta; scontrino; ricevuta fiscale; nota di credito; documento commerciale; copia;
preventivo; grazie; factuur; kassabon; creditnota; bon; pakbon; offerte; bedankt; kopie; faktura; faktura vat; paragon;
paragon fiskalny; rachunek; korekta; faktura korygująca; oryginał; kopia; duplikat; faktura proforma; niefiskalny; 发票;
增值税专用发票; 增值税普通发票; 电子发票; 收据; 小票; 购物小票; 销货清单; 欢迎光临; 谢谢惠顾; 形式发票; 商业发票; čeks; kvīts; rēķins; pavadzīme; paldies; kases čeks;
resit; resit rasmi; invois; invois cukai; terima kasih; fatura; recibo; fatura simplificada
"""
TITLES = frozenset(title for part in _TITLES.split(";") if (title := " ".join(part.split())))

STREET = re.compile(
    r"stra(?:ss|ß)e|str\.|\bstreet\b|\bst\.?\b(?!\w)|\broad\b|\brd\b|\bavenue\b|\bave\b|\bblvd\b|\bboulevard\b|"
    r"\blane\b|\bdrive\b|\bdr\b|\bjalan\b|\bjln\b|\bjl\b|\bjin\b|\blorong\b|\btaman\b|\bkampung\b|\bplace\b|"
    r"\bplaza\b|\bsuite\b|\bfloor\b|\blot\b|\bblock\b|\brue\b|\bav\b|\bchemin\b|\ballée\b|\bquai\b|\bcalle\b|\bc/|"
    r"\bpaseo\b|\bplaça\b|\bvia\b|\bviale\b|\bpiazza\b|\bcorso\b|straat\b|\bweg\b|laan\b|plein\b|\bul\.|\bulica\b|"
    r"\bal\.|\baleja\b|\bpl\.|\biela\b|\bgatve\b|\bp\.?o\.? box\b|weg\b|platz\b|gasse\b|allee\b|\bn[or]\.?\s?\d|路|街|"
    r"号|市|区|\brua\b|\bavenida\b|\bgate\b|\bvej\b",
    re.IGNORECASE,
)
"""Words of which addresses are made."""
POSTCODE = re.compile(
    r"(?<![\d.,-])(?:[A-Z]{1,2}-)?"
    r"(?:\d{5}(?:-\d{4})?|\d{4}(?:\s?[A-Z]{2})?|\d{2}-\d{3}|\d{6}|[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2})"
    r"(?![\d.,/:-]\d|\d)"
)
CONTACT = re.compile(
    r"\b(?:tel|phone|fon|fax|e-?mail|www|http|hotline|mobil|telefon|tél|hp|h/p|whatsapp|web|website)\b|@|电话|传真",
    re.IGNORECASE,
)
