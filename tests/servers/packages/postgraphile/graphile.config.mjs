import { makePgService } from "postgraphile/adaptors/pg";
import { GraphQLError } from "postgraphile/graphql";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

function maskError(error) {
  const { code, table, column, constraint, detail } = error.originalError ?? {};
  const { nodes, source, positions, path } = error;
  const extensions = code ? { code, table, column, constraint, detail } : {};
  return new GraphQLError(error.message, { nodes, source, positions, path, extensions });
}

export default {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: process.env.DATABASE, schemas: ["crm"] })],
  grafserv: {
    host: "127.0.0.1",
    port: Number(process.env.PORT),
    graphqlPath: "/graphql",
    watch: false,
    graphiql: false,
    // PostGraphile's own way is to say nothing of the database's errors but the hash of a line in its log.
    ...(process.env.MASKED ? {} : { maskError }),
  },
  grafast: { explain: false },
};
