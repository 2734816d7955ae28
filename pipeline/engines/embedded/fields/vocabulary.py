"""Words about documents in general that no template has to list: labels of other things, legal forms, titles, filler.

Labels of other things keep values away from fields that do not ask for them ("Cash 50.00" is no total). A template's own
labels take precedence: a delivery note that asks for an order number simply lists that label.
"""

from __future__ import annotations

import re

from pipeline.values.currencies import parse_currency

_AMOUNTS = """
payment; rounding; rounding adj; rounding adjustment; rounding error; round adj; card; credit card; debit card;
visa; mastercard; visa card; discount; total discount; disc; total savings; you saved; savings; tips; tip; deposit;
balance brought forward; previous balance; points; point balance; loyalty points; qty; total qty; total quantity;
total items; total item; no of items; item count; items; number of items; total weight; count; gst rate; vat rate;
tax rate; tax code; rate; price; unit price; unit cost; shipping; shipping cost; freight; handling; terms;
payment terms; weight; currency rate; exchange rate; gst summary; tax summary; service charge; delivery charge;
subtotal before discount; late fee; skonto; abzüglich skonto; rabatt; rabattbetrag; versandkosten; porto; fracht;
anzahlung; erhaltene anzahlungen; anzahlungen; ec-karte; girocard; kartenzahlung; menge; gewicht; anzahl;
steuersatz; mwst-satz; ust-satz; basisbetrag; steuerbasisbetrag; gesamtbetrag der zuschläge;
gesamtbetrag der abschläge; summe positionen; capital; remise; escompte; acompte; acompte versé; frais de port;
port; carte bancaire; cb; taux; taux tva; base; base ht; prix; prix unitaire; quantité; qté; descuento;
gastos de envío; tarjeta; tipo iva; tipo; irpf; retención; sconto; spese di spedizione; carta di credito; bancomat;
aliquota; aliquota iva; ritenuta d'acconto; capitale sociale; korting; verzendkosten; pin; pinnen; betaald; btw %;
btw-tarief; btw-bedrag over; aantal; rabat; koszt wysyłki; karta; karta płatnicza; stawka; stawka vat; zapłacono;
折扣; 运费; 税率; 数量; 单价; 会员; maksājumu karte; bankas karte; karte; atlaide; piešķirtās atlaides; kopā atlaides; bez pvn;
pvn likme; bayaran; diskaun; pelarasan; penggenapan; jumlah kuantiti; kuantiti; desconto; cartão; multibanco;
taxa iva; subtotal; sub total; sub-total; total excl gst; total excluding gst; total before tax; total excl tax;
total before rounding; total before discount; net amount; taxable amount; total exempt; total zero rated;
amount before rounding; gst payable; total gst; total tax; total vat; total saving; total discounts; total disc;
item discount; voucher; gift card; e-wallet; surcharge; prepaid; advance; payment received; credits; received;
less payment; points earned; total points; total pcs; total count; sales qty; credit limit; total ex gst; cukai;
zwischensumme; netto; nettobetrag; summe netto; bereits gezahlt; sous-total; sous total; total ht; montant ht;
déjà payé; déjà réglé; base imponible; anticipo; imponibile; subtotale; totale imponibile; acconto; sconto totale;
subtotaal; totaal excl btw; reeds betaald; suma netto; wartość netto; sprzedaż opodatkowana; sprzed opod; suma ptu;
opodat; zaliczka; starpsumma; ar pvn; apliekamā summa; nauda; atlaides summa; iemaksāts; jumlah kecil;
não tributado; 小计; 优惠; 已付
"""
_PAID = """
cash; cash tendered; tendered; amount tendered; tender; total tender; total cash; paid; paid amount; total paid;
amount paid; gegeben; bar; erhalten; espèces; reçu espèces; efectivo; entregado; entregado efectivo; contanti;
contant; ontvangen; gotówka; 现金; 实收; 收款; skaidrā naudā; skaidra nauda; sk nauda; saņemts; tunai; dinheiro;
bayaran tunai
"""
_CHANGE = """
change; change due; change given; total change; rückgeld; rückgeld bar; zurück; rendu; monnaie; cambio; resto;
wisselgeld; terug; reszta; wydano; 找零; izdots; atlikums; izsniegts; baki; troco; change amt; change amount
"""
_DATES = """
order date; delivery date; date of supply; ship date; shipping date; shipped date; service date; period; billing period;
service period; terminal; terminal id; print date; printed on; expiry date; valid until; bestellung vom; bestelldatum;
bestell-datum; auftragsdatum; lieferscheindatum; lieferschein-datum; lieferdatum; leistungsdatum; leistungs-datum;
leistungszeitraum; zeitraum; abrechnungszeitraum; rechnungszeitraum; terminal-id; date de commande; date de livraison;
date de prestation; fecha de pedido; fecha de entrega; periodo; data ordine; data ddt; data di consegna; besteldatum;
orderdatum; leverdatum; periode; data zamówienia; data dostawy; okres; data sprzedaży; data wykonania usługi; 订单日期;
送货日期; printed; due; delivery; card expiry; expiry; exp; exp date; valid thru; valid from; start date; end date;
member since; date of birth; date of delivery; delivered on; return by; best before; fälligkeit; bestellt am; geliefert am;
gültig bis; lieferung; skonto bis; zeitraum vom; livré le; expédié le; valable jusqu'au; date d'expédition; válido hasta;
entrega; data consegna; valido fino; geldig tot; ważny do; 有效期; 打印日期; derīgs līdz; tarikh luput
"""
_CODES = """
numéro de client; numéro du client; code du client; référence de commande; número de pedido; numero cliente;
member; tax invoice; order number; order no; order id; order #; your order; your reference; our reference; reference;
reference no; ref; ref no; po; po number; po no; po #; purchase order; purchase order number; purchase order no;
customer number; customer no; customer id; client id; client no; client number; account number; account no; account #;
a/c no; delivery note; delivery note no; contract; contract number; phone; tel; telephone; fax; mobile; e-mail; email;
website; iban; bic; swift; sort code; bank; bank account; routing number; page; till; register; cashier; operator; server;
table; pos; station; staff; approval code; auth code; merchant id; mid; tid; trace no; batch no; stan; rrn; aid; tvr;
card no; member no; member id; company reg no; company registration no; reg no; roc no; co reg no; registration no; store;
store no; branch; sales rep; salesperson; incoterms; hs code; project; job; quote; quotation; kundennummer; kunden-nr;
kunden nr; kdnr; kd-nr; bestellnummer; bestell-nr; bestellung; auftragsnummer; auftrags-nr; auftrag; lieferschein;
lieferschein-nr; lieferscheinnummer; lieferantennummer; lief-nr; vertragsnummer; vertragskonto; ihre nummer; ihr zeichen;
unser zeichen; ihre referenz; referenz; projekt; projektnummer; bearbeiter; ansprechpartner; steuernummer; steuer-nr;
st-nr; handelsregister; hrb; hra; amtsgericht; geschäftsführer; telefon; telefax; konto; kontonr; konto-nr; kontonummer;
blz; bankverbindung; gläubiger-id; mandatsreferenz; bon-nr; kasse; bediener; seite; artikelnummer; art-nr; gln; gtin; ean;
numéro client; n° client; id client; code client; référence; référence client; votre référence; notre référence;
n° commande; numéro de commande; bon de commande; n° bc; bc #; commande; bon de livraison; n° bl; période; siret; siren;
rcs; ape; naf; code ape; téléphone; tél; courriel; banque; rib; vendeur; devis; n° de devis; contrat; n° de contrat;
numéro de contrat; numéro de ligne; commandé par; mode de règlement; conditions de règlement; número de cliente;
nº cliente; cliente nº; nº pedido; número de pedido; pedido; albarán; nº albarán; referencia; su referencia; teléfono;
móvil; correo; banco; cuenta; página; forma de pago; vendedor; contrato; codice cliente; cliente n; ordine; numero ordine;
ddt; numero ddt; riferimento; vostro riferimento; telefono; cellulare; banca; pagina; contratto; pec; codice destinatario;
sdi; rea; modalità di pagamento; klantnummer; klantnr; debiteurnummer; ordernummer; bestelnummer; pakbon; uw referentie;
onze referentie; referentie; kenmerk; kvk; kvk-nummer; kvk nr; telefoon; mobiel; rekeningnummer; contractnummer; kassa;
numer klienta; nr klienta; numer zamówienia; nr zamówienia; zamówienie; wz; regon; krs; bdo; nr konta; numer konta; strona;
umowa; sposób zapłaty; forma płatności; miejsce wystawienia; kasjer; kasa; 客户编号; 订单号; 订单编号; 合同号; 电话; 传真;
手机; 邮箱; 开户行; 账号; 银行账号; 页; 收银员; 收款人; 复核; 开票人; 发票代码; 机器编号; 校验码; 地址、电话; 开户行及账号;
kasieris; kase; konta nr; čeka nr kopā; atbilde; kods; juruwang; telefone; telemóvel; nº encomenda; encomenda; co no;
company no; company reg; business reg no; business registration no; gst code; sst no; cb#; m#; counter; cashier no; waiter;
pax; cover; covers; guests; guest; salesman; sales person; served by; served; staff id; user; outlet; lane; shift;
check in; queue no; loyalty; membership no; licence no; license no; permit no; tin; brn; ssm no; serial no; s/n; machine;
pump; plate; vehicle; trans; transaction; eik; uzņēmuma reģ nr; kases nr; smēna; maks karte; autorizācija; kase nr; galds;
kasieris nr; nip nabywcy; bdo nr; drukarka; nr unikatowy; nr rej; tisch; filiale; filialnr; bedient von; trace-nr; ta-nr;
tse; signatur; seriennummer; transaktionsnummer; couvert; couverts; caissier; caisse; serveur; terminal n°; camarero; mesa;
caja; tienda; comensales; cassa; tavolo; operatore; cassiere; matricola; rt; negozio; filiaal; bediende; verkoper; tafel;
桌号; 台号; 收银机; 门店; 机号
"""
OTHER_LABELS: dict[str, tuple[str, ...]] = {
    kind: tuple(label for part in text.split(";") if (label := " ".join(part.split())))
    for kind, text in (("money", _AMOUNTS), ("paid", _PAID), ("change", _CHANGE), ("date", _DATES), ("identifier", _CODES))
}
"""Labels of things that few templates ask for, by the type of the value beside them."""

EXCLUDING = frozenset(
    (
        "excl",
        "exkl",
        "excluding",
        "exclusive",
        "exc",
        "ex",
        "ohne",
        "without",
        "w/o",
        "before",
        "hors",
        "sans",
        "sin",
        "senza",
        "bez",
    )
)
"""Words after a label that say it is without tax."""
INCLUDING = frozenset(
    [
        "inkl",
        "incl",
        "incl.",
        "inkl.",
        "inc",
        "inc.",
        "including",
        "inclusive",
        "included",
        "includes",
        "excl",
        "excl.",
        "exkl",
        "excluding",
        "exclusive",
        "exc",
        "ex",
        "ohne",
        "mit",
        "with",
        "without",
        "w/o",
        "hors",
        "sans",
        "sin",
        "con",
        "incluido",
        "senza",
        "escl",
        "excl",
        "bez",
        "z",
        "ar",
        "avec",
        "net",
        "of",
        "after",
        "before",
        "nach",
        "vor",
    ]
)
"""Words that turn a label after them into a remark on the label before ("Total incl. VAT")."""
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
        "n",
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
    r"corp|corporation|co|company|pty|pte|sdn\.?\s?bhd|sdn|bhd|s[./]?\s?b|enterprise|trading|sarl|s\.a\.r\.l|sas|sasu|"
    r"s\.a\.s|eurl|sci|snc|s\.?\s?a|s\.?\s?l|s\.l\.u|slu|s\.?r\.?l|s\.?p\.?a|s\.?n\.?c|b\.?\s?v|n\.?\s?v|vof|"
    r"v\.o\.f|sp\.?\s?z\s?o\.?\s?o|spółka|s\.?\s?c|sia|as|a/s|aps|ab|oy|oyj|asa|uab|oü|s\.?r\.?o|a\.?\s?s|kft|zrt|"
    r"d\.?o\.?o|lda|ltda|unipessoal|restaurant|restoran|hotel|store|supermarket|pharmacy|verein|versicherung|"
    r"stiftung|association|foundation|university"
)
ORGANISATION = re.compile(rf"(?<![^\W_])(?:{_FORMS})(?![^\W_])\.?|公司|商行|店$|集团|有限", re.IGNORECASE)
"""Legal forms and words by which an organisation's name is told."""

_TITLES = """
ship to; delivery address; shipping address; deliver to; lieferadresse; lieferanschrift; versandadresse; adresse de livraison;
livré à; dirección de entrega; dirección de envío; indirizzo di consegna; destinazione merce; afleveradres; leveringsadres;
bezorgadres; adres dostawy; endereço de entrega; piegādes adrese; 收货地址; 送货地址;
invoice; tax invoice; simplified tax invoice; commercial invoice; proforma invoice; sales invoice; credit note; debit note;
receipt; official receipt; cash receipt; sales receipt; cash bill; cash sale; cash sales; bill; statement; guest check;
order; original; copy; duplicate; customer copy; merchant copy; thank you; welcome; reprint; delivery note; packing slip;
quotation; purchase order; page; description; details; gst tax invoice; invoice details; self-billed invoice; rechnung;
warenrechnung; gutschrift; beitragsrechnung; handelsrechnung; quittung; kassenbon; kassenbeleg; beleg; kopie; original;
lieferschein; angebot; auftragsbestätigung; mahnung; stornorechnung; teilrechnung; schlussrechnung; abschlagsrechnung;
facture; avoir; ticket; reçu; note; ticket de caisse; devis; facture d'avoir; duplicata; bon de livraison; merci;
bienvenue; factura; factura simplificada; factura rectificativa; recibo; ticket; nota de crédito; abono; albarán;
presupuesto; gracias; bienvenido; copia; fattura; ricevuta; scontrino; ricevuta fiscale; nota di credito;
documento commerciale; copia; preventivo; grazie; factuur; kassabon; creditnota; bon; pakbon; offerte; bedankt; kopie;
faktura; faktura vat; paragon; paragon fiskalny; rachunek; korekta; faktura korygująca; oryginał; kopia; duplikat;
faktura proforma; niefiskalny; 发票; 增值税专用发票; 增值税普通发票; 电子发票; 收据; 小票; 购物小票; 销货清单; 欢迎光临;
谢谢惠顾; 形式发票; 商业发票; čeks; kvīts; rēķins; pavadzīme; paldies; kases čeks; resit; resit rasmi; invois;
invois cukai; terima kasih; fatura; recibo; fatura simplificada
"""
TITLES = frozenset(title for part in _TITLES.split(";") if (title := " ".join(part.split())))

STREET = re.compile(
    r"stra(?:ss|ß)e|str\.|\bstreet\b|\bst\.?\b(?!\w)|\broad\b|\brd\b|\bavenue\b|\bave\b|\bblvd\b|\bboulevard\b|"
    r"\blane\b|\bdrive\b|\bdr\b|\bjalan\b|\bjln\b|\bjl\b|\bjin\b|\blorong\b|\btaman\b|\bkampung\b|\bplace\b|"
    r"\bplaza\b|\bavda\b|\bsuite\b|\bfloor\b|\blot\b|\bblock\b|\brue\b|\bav\b|\bchemin\b|\ballée\b|\bquai\b|\bcalle\b|\bc/|"
    r"\bpaseo\b|\bplaça\b|\bvia\b|\bviale\b|\bpiazza\b|\bcorso\b|straat\b|\bweg\b|laan\b|plein\b|\bul\.|\bulica\b|"
    r"\bal\.|\baleja\b|\bpl\.|\biela\b|\bgatve\b|\bp\.?o\.? box\b|weg\b|platz\b|gasse\b|allee\b|\bn[or]\.?\s?\d{1,4}\b(?!-?\d)|路|街|"
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
FORMER = re.compile(
    r"\b(?:(?:formerly|previously)(?: known as)?|f\.?k\.?a|vormals|früher|ehemals|anciennement|antes|già|ex|voorheen|"
    r"dawniej|anteriormente|agrāk)\W*$",
    re.IGNORECASE,
)
"""Words behind which a name stands that an organisation had once."""
VAGUE_WORDS = frozenset(
    ("number", "nummer", "numero", "número", "numéro", "numer", "no", "nr", "nº", "referenceno", "reference", "编号", "单号")
)
"""Labels (folded) that stand beside numbers of all kinds; a label that says more goes before them."""
