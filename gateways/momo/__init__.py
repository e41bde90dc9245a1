"""MoMo, AIO v2: a wallet page, an app link and a QR code, in VND."""
