"""Writes the databases of places that the tests read, by an independent writer: pip install mmdb_writer netaddr."""

from mmdb_writer import MMDBWriter
from netaddr import IPSet

NESTED = {
    "203.0.113.0/24": {
        "city": {"names": {"en": "London", "fr": "Londres"}},
        "country": {"iso_code": "GB", "names": {"en": "United Kingdom", "fr": "Royaume-Uni"}},
    },
    "198.51.100.0/24": {"city": {"names": {"en": "Kyoto"}}, "country": {"iso_code": "JP"}},
    "2001:db8::/32": {"country": {"iso_code": "DE", "names": {"en": "Germany", "fr": "Allemagne"}}},
}
FLAT = {
    "203.0.113.0/24": {"city": "London", "country_code": "GB", "latitude": 51.5},
    "2001:db8::/32": {"city": "", "country_code": "DE"},
}

for name, kind, rows in [("nested", "GeoLite2-City", NESTED), ("flat", "DBIP-City", FLAT)]:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type=kind, languages=["en", "fr"])
    for network, row in rows.items():
        writer.insert_network(IPSet([network]), row)
    writer.to_db_file(f"{name}.mmdb")
