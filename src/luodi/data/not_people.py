# ruff: noqa: E501, SIM905  # lists of words
"""English words that a model takes for people's names: countries, companies, ships, houses."""

from __future__ import annotations

import re

COUNTRIES = frozenset(
    (
        "afghanistan albania algeria andorra angola argentina armenia australia austria azerbaijan bahamas bahrain "
        "bangladesh barbados belarus belgium belize benin bermuda bhutan bolivia botswana brazil brunei bulgaria burundi "
        "cambodia cameroon canada chile china colombia comoros congo croatia cuba cyprus czechia denmark djibouti dominica "
        "ecuador egypt eritrea estonia eswatini ethiopia fiji finland france gabon gambia germany ghana greece greenland "
        "grenada guatemala guinea guyana haiti honduras hungary iceland india indonesia iran iraq ireland italy jamaica japan "
        "kazakhstan kenya kiribati korea kosovo kuwait kyrgyzstan laos latvia lebanon lesotho liberia libya liechtenstein "
        "lithuania luxembourg madagascar malawi malaysia maldives mali malta mauritania mauritius mexico micronesia moldova "
        "monaco mongolia montenegro morocco mozambique myanmar namibia nauru nepal netherlands nicaragua niger nigeria norway "
        "oman pakistan palau palestine panama paraguay peru philippines poland portugal qatar romania russia rwanda samoa "
        "senegal serbia seychelles singapore slovakia slovenia somalia spain sudan suriname sweden switzerland syria taiwan "
        "tajikistan tanzania thailand togo tonga tunisia turkey turkmenistan tuvalu uganda ukraine uruguay uzbekistan vanuatu "
        "venezuela vietnam yemen zambia zimbabwe england scotland wales britain europe africa asia america"
    ).split()
)
"""Alone none of them is a person's name; beside another word it may be (Brandy Greece)."""

BEFORE = re.compile(r"\b(?:USS|USNS|USNV|USCGC|HMS)[ ]$")
"""A ship is called as a person is."""
BEHIND = re.compile(
    r",?[ ]{1,2}&?[ ]?(?:Inc|Incorporated|Ltd|Limited|LLC|LLP|Corp|Corporation|Company|Co|Group|GmbH|AG|PLC|S\.A|"
    r"Holdings?|Industries|Technologies|Analytics|Consulting|Agency|Bank|Foundation|University|"
    r"College|Hospital|Hotel|Airport|Stadium|Orchestra|Country Club|Club|Street|Avenue|Road|Bridge)\b"
    r"|,? (?:inc|incorporated|ltd|llc|corp|gmbh)\b"
)
"""What stands behind the name of a company, a house or a street."""
TITLES_BEHIND = re.compile(
    r",?[ ](?:(?:PhD|Ph\.D\.|MD|M\.D\.|DDS|DVM|Esq\.?|Jr|Sr|II|III|IV)\b\.?)+"
)
"""What belongs to the name that it stands behind."""
