"""Every vendor that the contract suite knows: one line each."""

from __future__ import annotations

from tests.contracts.vendors.graphql import GraphqlVendor
from tests.contracts.vendors.hubspot import HubspotVendor
from tests.contracts.vendors.jobber import Jobber
from tests.contracts.vendors.pipedrive import PipedriveVendor
from tests.contracts.vendors.rest import RestVendor
from tests.contracts.vendors.salesforce import SalesforceVendor
from tests.contracts.vendors.shopify import Shopify
from tests.contracts.vendors.vendor import Vendor

VENDORS: tuple[type[Vendor], ...] = (
    RestVendor,
    GraphqlVendor,
    HubspotVendor,
    PipedriveVendor,
    SalesforceVendor,
    Shopify,
    Jobber,
)  # fmt: skip
