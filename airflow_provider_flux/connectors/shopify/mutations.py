"""What a shop lets us do with its objects, as GraphQL documents.

`customerSet` and `productSet` make or change a record by an identifier in one step. `customerCreate` and
`customerUpdate` take more fields (metafields, consents), and their user errors have no code. Of an order only a few
fields can be changed. https://shopify.dev/docs/api/admin-graphql/2026-10/mutations/customerSet
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_flux.connectors.graphql.writing import Mutation

_CODED = "userErrors { code field message }"
_PLAIN = "userErrors { field message }"

CUSTOMER_SET = Mutation(
    "mutation($identifier: CustomerSetIdentifiers, $input: CustomerSetInput!) { "
    f"customerSet(identifier: $identifier, input: $input) {{ customer {{ id }} {_CODED} }} }}",
    id="data.customerSet.customer.id",
    idempotent=True,
)
CUSTOMER_CREATE = Mutation(
    f"mutation($input: CustomerInput!) {{ customerCreate(input: $input) {{ customer {{ id }} {_PLAIN} }} }}",
    id="data.customerCreate.customer.id",
)
CUSTOMER_UPDATE = Mutation(
    f"mutation($input: CustomerInput!) {{ customerUpdate(input: $input) {{ customer {{ id }} {_PLAIN} }} }}",
    id="data.customerUpdate.customer.id",
    idempotent=True,
)
CUSTOMER_DELETE = Mutation(
    f"mutation($id: ID!) {{ customerDelete(input: {{ id: $id }}) {{ deletedCustomerId {_PLAIN} }} }}",
    id="data.customerDelete.deletedCustomerId",
    idempotent=True,
)
PRODUCT_SET = Mutation(
    "mutation($identifier: ProductSetIdentifiers, $input: ProductSetInput!) { "
    f"productSet(identifier: $identifier, input: $input, synchronous: true) {{ product {{ id }} {_CODED} }} }}",
    id="data.productSet.product.id",
    idempotent=True,
)
PRODUCT_DELETE = Mutation(
    f"mutation($id: ID!) {{ productDelete(input: {{ id: $id }}) {{ deletedProductId {_PLAIN} }} }}",
    id="data.productDelete.deletedProductId",
    idempotent=True,
)
ORDER_UPDATE = Mutation(
    f"mutation($input: OrderInput!) {{ orderUpdate(input: $input) {{ order {{ id }} {_PLAIN} }} }}",
    id="data.orderUpdate.order.id",
    idempotent=True,
)


@dataclass(frozen=True)
class Actions:
    """What can be done with one object; None for what cannot.

    :param set: makes or changes a record by an identifier, or makes one without
    :param create: makes a record where `set` takes fewer fields
    :param update: changes a record by the `id` in its input where `set` takes fewer fields, or there is none
    :param find: the document that looks a record up by `$identifier`
    :param found: where its answer holds the id
    :param identifiers: by field of the record, its name in the identifier of that document
    :param archived: the input that archives a record
    """

    find: str
    found: str
    identifiers: Mapping[str, str]
    set: Mutation | None = None
    create: Mutation | None = None
    update: Mutation | None = None
    delete: Mutation | None = None
    archived: Mapping[str, str] | None = None


ACTIONS: Mapping[str, Actions] = {
    "customers": Actions(
        "query($identifier: CustomerIdentifierInput!) { customerByIdentifier(identifier: $identifier) { id } }",
        "data.customerByIdentifier.id",
        {"email": "emailAddress", "phone": "phoneNumber", "id": "id"},
        CUSTOMER_SET, CUSTOMER_CREATE, CUSTOMER_UPDATE, CUSTOMER_DELETE,
    ),
    "products": Actions(
        "query($identifier: ProductIdentifierInput!) { productByIdentifier(identifier: $identifier) { id } }",
        "data.productByIdentifier.id",
        {"handle": "handle", "id": "id"},
        PRODUCT_SET, delete=PRODUCT_DELETE, archived={"status": "ARCHIVED"},
    ),
    "orders": Actions(
        "query($id: ID!) { order(id: $id) { id } }", "data.order.id", {"id": "id"}, update=ORDER_UPDATE
    ),
}  # fmt: skip
