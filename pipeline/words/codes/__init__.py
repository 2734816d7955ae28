"""What the QR codes and barcodes of invoices, receipts and payment slips state, one module for each standard.

Values are keyed by the business terms of EN 16931. The texts are hostile: lengths, numbers and nesting are limited, no signature is
verified, and no link is ever opened.
"""
