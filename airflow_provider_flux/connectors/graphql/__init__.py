"""The connector `graphql`, and the engine on which connectors to GraphQL vendors stand.

A vendor's connector builds on three parts:

* `graph.Graph`: asks one endpoint. `Graph.open(credentials, PROFILE, outage=SOURCE, path="/graphql")` makes one;
  `graph.ask(document, variables)` answers, or raises what the answer says of the whole request.
* `reading.ListReader(graph, Listing(document, "data.customers", connection("data.customers", size=100)))`: the pages
  of a list, `.pages({"query": ...})`. Records that the server could not tell are defects of their page; a page that
  costs more than the server allows is asked for again in half its size.
* `writing.Mutator(graph)`: `.write(Mutation(DOCUMENT, id="data.customerSet.customer.id"), variables, item)` is the
  verdict on one record. `destination.GraphDestination` does the rest of a destination that writes one by one; a system
  without an upsert implements `connectors.lookup.Records` by such mutations.
"""
