"""The part of Jobber's schema that the fake of Jobber knows.

Names, types and nullability as in a public introspection of the live API (GitHub, api-evangelist/jobber,
graphql/jobber-introspection.json, 2026-08), in https://developer.getjobber.com/docs (which lists fewer fields of a
client) and in the notes of a command line that was checked against version 2026-05-12 (GitHub,
acaracappa/getjobber-cli, docs/write-redesign.md).
"""

from __future__ import annotations

SDL = """
scalar EncodedId
scalar ISO8601DateTime

type Query {
  account: Account
  client(id: EncodedId!): Client
  clients(filter: ClientFilterAttributes, searchTerm: String, after: String, before: String, first: Int, last: Int,
    offset: Int): ClientConnection
  job(id: EncodedId!): Job
  jobs(filter: JobFilterAttributes, searchTerm: String, after: String, before: String, first: Int, last: Int,
    offset: Int): JobConnection!
}

type Mutation {
  clientCreate(input: ClientCreateInput!): ClientCreatePayload!
  clientEdit(clientId: EncodedId!, input: ClientEditInput!): ClientEditPayload!
  clientArchive(clientId: EncodedId!): ClientArchivePayload!
  clientUnarchive(clientId: EncodedId!): ClientUnarchivePayload!
  jobCreate(input: JobCreateAttributes!): JobCreatePayload!
  jobEdit(jobId: EncodedId!, input: JobEditInput!): JobEditPayload!
}

type Account { id: EncodedId! name: String! }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type MutationErrors { message: String! path: [String!]! }

type ClientConnection { edges: [ClientEdge!] nodes: [Client!]! pageInfo: PageInfo! totalCount: Int! }
type ClientEdge { cursor: String! node: Client! }
type Client {
  id: EncodedId! firstName: String! lastName: String! companyName: String name: String! title: String
  isCompany: Boolean! isLead: Boolean! isArchived: Boolean! isArchivable: Boolean! balance: Float!
  emails: [Email!]! phones: [ClientPhoneNumber!]! billingAddress: ClientAddress
  clientProperties(after: String, before: String, first: Int, last: Int, offset: Int): PropertyConnection!
  tags(after: String, before: String, first: Int, last: Int, offset: Int): TagConnection!
  jobberWebUri: String! createdAt: ISO8601DateTime! updatedAt: ISO8601DateTime!
}
type Email { id: EncodedId! address: String! description: String! primary: Boolean! }
type ClientPhoneNumber { id: EncodedId! number: String! description: String! primary: Boolean! smsAllowed: Boolean! }
type ClientAddress {
  street1: String! street2: String! city: String! province: String! postalCode: String! country: String!
}
type PropertyConnection { edges: [PropertyEdge!] nodes: [Property!]! pageInfo: PageInfo! totalCount: Int! }
type PropertyEdge { cursor: String! node: Property! }
type Property { id: EncodedId! }
type TagConnection { edges: [TagEdge!] nodes: [Tag!]! pageInfo: PageInfo! totalCount: Int! }
type TagEdge { cursor: String! node: Tag! }
type Tag { label: String! }

input ClientFilterAttributes {
  isCompany: Boolean isLead: Boolean isArchived: Boolean updatedAt: Iso8601DateTimeRangeInput
  createdAt: Iso8601DateTimeRangeInput tags: [String!]
}
input Iso8601DateTimeRangeInput { before: ISO8601DateTime after: ISO8601DateTime eq: ISO8601DateTime }
enum ClientTitle { MR MRS MS MISS DR NO_TITLE }
enum EmailDescription { MAIN WORK PERSONAL OTHER }
enum PhoneNumberDescription { MAIN WORK MOBILE HOME FAX OTHER }
input EmailCreateAttributes { description: EmailDescription address: String primary: Boolean }
input EmailUpdateAttributes { description: EmailDescription address: String primary: Boolean id: EncodedId! }
input PhoneNumberCreateAttributes {
  description: PhoneNumberDescription number: String smsAllowed: Boolean primary: Boolean
}
input PhoneNumberUpdateAttributes {
  description: PhoneNumberDescription number: String smsAllowed: Boolean primary: Boolean id: EncodedId!
}
input AddressAttributes {
  street1: String street2: String city: String province: String postalCode: String country: String
}
input ClientCreateInput {
  title: ClientTitle firstName: String lastName: String companyName: String isCompany: Boolean
  receivesReminders: Boolean receivesFollowUps: Boolean role: String isBillingContact: Boolean
  phones: [PhoneNumberCreateAttributes!] emails: [EmailCreateAttributes!] billingAddress: AddressAttributes
}
input ClientEditInput {
  title: ClientTitle firstName: String lastName: String companyName: String isCompany: Boolean
  receivesReminders: Boolean receivesFollowUps: Boolean role: String isBillingContact: Boolean
  phonesToAdd: [PhoneNumberCreateAttributes!] phonesToEdit: [PhoneNumberUpdateAttributes!] phonesToDelete: [EncodedId!]
  emailsToAdd: [EmailCreateAttributes!] emailsToEdit: [EmailUpdateAttributes!] emailsToDelete: [EncodedId!]
  tagsToAdd: [String!] tagsToDelete: [String!] billingAddress: AddressAttributes
}
type ClientCreatePayload { client: Client userErrors: [MutationErrors!]! }
type ClientEditPayload { client: Client userErrors: [MutationErrors!]! }
type ClientArchivePayload { client: Client userErrors: [MutationErrors!]! }
type ClientUnarchivePayload { client: Client userErrors: [MutationErrors!]! }

type JobConnection { edges: [JobEdge!] nodes: [Job!]! pageInfo: PageInfo! totalCount: Int! }
type JobEdge { cursor: String! node: Job! }
type Job {
  id: EncodedId! jobNumber: Int! title: String instructions: String jobStatus: JobStatusTypeEnum!
  jobType: JobTypeTypeEnum! billingType: BillingStrategy! total: Float! startAt: ISO8601DateTime endAt: ISO8601DateTime
  completedAt: ISO8601DateTime createdAt: ISO8601DateTime! updatedAt: ISO8601DateTime! client: Client!
  property: Property! jobberWebUri: String!
  lineItems(after: String, before: String, first: Int, last: Int, offset: Int): JobLineItemConnection!
}
type JobLineItemConnection { edges: [JobLineItemEdge!] nodes: [JobLineItem!]! pageInfo: PageInfo! totalCount: Int! }
type JobLineItemEdge { cursor: String! node: JobLineItem! }
type JobLineItem { id: EncodedId! name: String! description: String! quantity: Float! unitPrice: Float! }
enum JobStatusTypeEnum { requires_invoicing archived late today upcoming action_required on_hold unscheduled active }
enum JobTypeTypeEnum { ONE_OFF RECURRING }
enum BillingStrategy { FIXED_PRICE VISIT_BASED }
enum BillingFrequencyEnum { ON_COMPLETION PERIODIC PER_VISIT NEVER }
input JobFilterAttributes { createdAt: Iso8601DateTimeRangeInput status: JobStatusTypeEnum ids: [EncodedId!] }
input JobInvoicingAttributes { invoicingType: BillingStrategy! invoicingSchedule: BillingFrequencyEnum! }
input JobCreateLineItemAttributes {
  name: String! description: String saveToProductsAndServices: Boolean! unitPrice: Float! quantity: Float!
}
input JobCreateAttributes {
  propertyId: EncodedId! title: String jobNumber: Int instructions: String jobType: JobTypeTypeEnum
  invoicing: JobInvoicingAttributes! lineItems: [JobCreateLineItemAttributes!]
}
input JobEditInput { jobNumber: Int title: String instructions: String invoicing: JobInvoicingAttributes }
type JobCreatePayload { job: Job userErrors: [MutationErrors!]! }
type JobEditPayload { job: Job userErrors: [MutationErrors!]! }
"""
