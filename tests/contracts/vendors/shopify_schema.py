"""The part of Shopify's Admin schema 2026-10 that the fake of Shopify knows.

Names, types and nullability as in the schema that Shopify ships in the npm package @shopify/dev-mcp 1.16.0.
"""

from __future__ import annotations

SDL = """
scalar DateTime
scalar Money
scalar UnsignedInt64
scalar HTML

schema { query: QueryRoot mutation: Mutation }

type QueryRoot {
  shop: Shop!
  customers(first: Int, after: String, last: Int, before: String, query: String, reverse: Boolean,
    sortKey: CustomerSortKeys): CustomerConnection!
  customer(id: ID!): Customer
  customerByIdentifier(identifier: CustomerIdentifierInput!): Customer
  products(first: Int, after: String, query: String, reverse: Boolean, sortKey: ProductSortKeys): ProductConnection!
  product(id: ID!): Product
  productByIdentifier(identifier: ProductIdentifierInput!): Product
  orders(first: Int, after: String, query: String, reverse: Boolean, sortKey: OrderSortKeys): OrderConnection!
  order(id: ID!): Order
}

type Mutation {
  customerSet(identifier: CustomerSetIdentifiers, input: CustomerSetInput!): CustomerSetPayload
  customerCreate(input: CustomerInput!): CustomerCreatePayload
  customerUpdate(input: CustomerInput!): CustomerUpdatePayload
  customerDelete(input: CustomerDeleteInput!): CustomerDeletePayload
  productSet(identifier: ProductSetIdentifiers, input: ProductSetInput!, synchronous: Boolean): ProductSetPayload
  productDelete(input: ProductDeleteInput!, synchronous: Boolean): ProductDeletePayload
  orderUpdate(input: OrderInput!): OrderUpdatePayload
}

type Shop { id: ID! name: String! myshopifyDomain: String! }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type MoneyV2 { amount: String! currencyCode: CurrencyCode! }
type MoneyBag { shopMoney: MoneyV2! presentmentMoney: MoneyV2! }
type UserError { field: [String!] message: String! }

enum CurrencyCode { EUR USD }
enum CountryCode { AT CA DE US }
enum CustomerSortKeys { CREATED_AT ID LOCATION NAME RELEVANCE UPDATED_AT }
enum ProductSortKeys { CREATED_AT ID INVENTORY_TOTAL PRODUCT_TYPE PUBLISHED_AT RELEVANCE TITLE UPDATED_AT VENDOR }
enum OrderSortKeys { CREATED_AT ID ORDER_NUMBER PROCESSED_AT RELEVANCE TOTAL_PRICE UPDATED_AT }
enum CustomerState { DECLINED DISABLED ENABLED INVITED }
enum ProductStatus { ACTIVE ARCHIVED DRAFT UNLISTED }

type CustomerConnection { edges: [CustomerEdge!]! nodes: [Customer!]! pageInfo: PageInfo! }
type CustomerEdge { cursor: String! node: Customer! }
type CustomerEmailAddress { emailAddress: String! validFormat: Boolean! }
type CustomerPhoneNumber { phoneNumber: String! }
type Customer {
  id: ID! legacyResourceId: UnsignedInt64! firstName: String lastName: String displayName: String!
  defaultEmailAddress: CustomerEmailAddress defaultPhoneNumber: CustomerPhoneNumber
  note: String tags: [String!]! taxExempt: Boolean! locale: String! state: CustomerState! verifiedEmail: Boolean!
  numberOfOrders: UnsignedInt64! amountSpent: MoneyV2! createdAt: DateTime! updatedAt: DateTime! canDelete: Boolean!
  defaultAddress: MailingAddress
  addressesV2(first: Int, after: String, last: Int, before: String, reverse: Boolean): MailingAddressConnection!
}
type MailingAddressConnection { edges: [MailingAddressEdge!]! nodes: [MailingAddress!]! pageInfo: PageInfo! }
type MailingAddressEdge { cursor: String! node: MailingAddress! }
type MailingAddress {
  id: ID! address1: String address2: String city: String company: String country: String countryCodeV2: CountryCode
  firstName: String lastName: String name: String phone: String province: String provinceCode: String zip: String
}
input MailingAddressInput {
  address1: String address2: String city: String company: String countryCode: CountryCode firstName: String
  lastName: String phone: String provinceCode: String zip: String
}
input UniqueMetafieldValueInput { namespace: String key: String! value: String! }
input CustomerIdentifierInput { id: ID emailAddress: String phoneNumber: String customId: UniqueMetafieldValueInput }
input CustomerSetIdentifiers { id: ID email: String phone: String customId: UniqueMetafieldValueInput }
input CustomerSetInput {
  id: ID email: String phone: String firstName: String lastName: String note: String tags: [String!] taxExempt: Boolean
  locale: String addresses: [MailingAddressInput!]
}
input MetafieldInput { namespace: String key: String value: String type: String }
input CustomerInput {
  id: ID email: String phone: String firstName: String lastName: String note: String tags: [String!] taxExempt: Boolean
  locale: String addresses: [MailingAddressInput!] metafields: [MetafieldInput!]
}
input CustomerDeleteInput { id: ID! }
type CustomerSetPayload { customer: Customer userErrors: [CustomerSetUserError!]! }
type CustomerSetUserError { code: CustomerSetUserErrorCode field: [String!] message: String! }
enum CustomerSetUserErrorCode {
  BLANK ID_NOT_ALLOWED INCLUSION INPUT_MISMATCH INVALID METAFIELD_MISMATCH MISSING_FIELD_REQUIRED NOT_FOUND PRESENT
  TAKEN TOO_LONG TOO_SHORT
}
type CustomerCreatePayload { customer: Customer userErrors: [UserError!]! }
type CustomerUpdatePayload { customer: Customer userErrors: [UserError!]! }
type CustomerDeletePayload { deletedCustomerId: ID shop: Shop! userErrors: [UserError!]! }

type ProductConnection { edges: [ProductEdge!]! nodes: [Product!]! pageInfo: PageInfo! }
type ProductEdge { cursor: String! node: Product! }
type Product {
  id: ID! legacyResourceId: UnsignedInt64! title: String! handle: String! descriptionHtml: HTML! vendor: String!
  productType: String! status: ProductStatus! tags: [String!]! totalInventory: Int! createdAt: DateTime!
  updatedAt: DateTime! publishedAt: DateTime
  variants(first: Int, after: String, last: Int, before: String, reverse: Boolean): ProductVariantConnection!
}
type ProductVariantConnection { edges: [ProductVariantEdge!]! nodes: [ProductVariant!]! pageInfo: PageInfo! }
type ProductVariantEdge { cursor: String! node: ProductVariant! }
type ProductVariant { id: ID! title: String! sku: String barcode: String price: Money! inventoryQuantity: Int }
input ProductIdentifierInput { id: ID handle: String customId: UniqueMetafieldValueInput }
input ProductSetIdentifiers { id: ID handle: String customId: UniqueMetafieldValueInput }
input ProductSetInput {
  id: ID title: String handle: String descriptionHtml: HTML vendor: String productType: String status: ProductStatus
  tags: [String!]
}
input ProductDeleteInput { id: ID! }
type ProductSetPayload { product: Product userErrors: [ProductSetUserError!]! }
type ProductSetUserError { code: ProductSetUserErrorCode field: [String!] message: String! }
enum ProductSetUserErrorCode {
  GENERIC_ERROR HANDLE_NOT_UNIQUE INPUT_MISMATCH INVALID_INPUT MISSING_FIELD_REQUIRED NOT_FOUND PRODUCT_DOES_NOT_EXIST
}
type ProductDeletePayload { deletedProductId: ID shop: Shop! userErrors: [UserError!]! }

type OrderConnection { edges: [OrderEdge!]! nodes: [Order!]! pageInfo: PageInfo! }
type OrderEdge { cursor: String! node: Order! }
type Order {
  id: ID! legacyResourceId: UnsignedInt64! name: String! email: String phone: String note: String poNumber: String
  tags: [String!]! createdAt: DateTime! updatedAt: DateTime! processedAt: DateTime! cancelledAt: DateTime
  currencyCode: CurrencyCode! displayFinancialStatus: OrderDisplayFinancialStatus
  displayFulfillmentStatus: OrderDisplayFulfillmentStatus! totalPriceSet: MoneyBag! customer: Customer
  shippingAddress: MailingAddress billingAddress: MailingAddress
  lineItems(first: Int, after: String, last: Int, before: String, reverse: Boolean): LineItemConnection!
}
enum OrderDisplayFinancialStatus { PAID PENDING }
enum OrderDisplayFulfillmentStatus { FULFILLED UNFULFILLED }
type LineItemConnection { edges: [LineItemEdge!]! nodes: [LineItem!]! pageInfo: PageInfo! }
type LineItemEdge { cursor: String! node: LineItem! }
type LineItem {
  id: ID! title: String! sku: String quantity: Int! variantTitle: String originalUnitPriceSet: MoneyBag!
  product: Product
}
input AttributeInput { key: String! value: String! }
input OrderInput {
  id: ID! email: String phone: String note: String poNumber: String tags: [String!]
  shippingAddress: MailingAddressInput customAttributes: [AttributeInput!]
}
type OrderUpdatePayload { order: Order userErrors: [UserError!]! }
"""
