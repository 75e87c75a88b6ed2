/** What judges values by a JSON Schema. */

import { known } from "./given.js";

export const schemaOf = (module) =>
  Object.freeze({
    /** Loads the module: with one of yours, or from where it lies. */
    init: (own) => module.load(own),

    /** What does not fit. Schema and values are bytes of JSON; nothing that the schema refers to is ever fetched. */
    async validate(schema, values, options) {
      const { limits } = known(options, ["limits"]);
      await module.load();
      return module.functions.validate(schema, values, limits);
    },
  });
