// Made from docs/openapi.json by `npm run api`.

export interface paths {
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The storefront; on the operators' port their console. */
        get: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The ETag of an earlier answer */
                    "If-None-Match"?: string | null;
                };
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The page. HEAD is answered too. */
                200: {
                    headers: {
                        /** @description For If-None-Match */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "text/html": string;
                    };
                };
                /** @description It has not changed. */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/audit-log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What operators did, newest first. */
        get: {
            parameters: {
                query?: {
                    /** @description Of this sale only. */
                    sale?: string;
                    /** @description Older than this line: the `next` of the page before. */
                    before?: number;
                    /** @description Lines on the page: 1 to 1,000, else 100. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description A page of the log. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AuditLog"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The dead letters; they stay where they are. */
        get: {
            parameters: {
                query?: {
                    /** @description This one. */
                    messageId?: string;
                    /** @description With a job of this sale. */
                    sale?: string;
                    /** @description With this job. */
                    job?: string;
                    /** @description With this text in its reason. */
                    why?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The letters. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LettersBody"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/dead-letters/discard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Removes letters for good; each job in them that has no order yet ends as refused. At most 1,000 in one call. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Which"];
                };
            };
            responses: {
                /** @description They are gone. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeadLettersDone"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported-media-type` */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/dead-letters/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Puts letters back on the queue. A job that has ended stays as it is. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Which"];
                };
            };
            responses: {
                /** @description They are back on the queue. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DeadLettersDone"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported-media-type` */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/jobs/{jobId}/discard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends a job that hangs: it is refused, and its units are for sale again, unless it has its order already. What was
         *     accepted is placed by itself, however late; this is for a sale that cannot wait.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The job */
                    jobId: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["Reason"] | null;
                };
            };
            responses: {
                /** @description It has ended. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DiscardedJob"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The rate limits that are obeyed now. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The limits. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LimitsNow"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        /**
         * Changes rate limits while they are obeyed: only what is named. This gateway obeys at once, every other one within a
         *     second.
         */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["LimitsDraft"];
                };
            };
            responses: {
                /** @description They are changed. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LimitsChanged"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported-media-type` */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/performance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How this gateway is doing, since its start. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The figures. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Performance"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/quotas": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Limits, statistics and health of quotas; with `subject` and `kind` also what that one has used today. */
        get: {
            parameters: {
                query?: {
                    /** @description A buyer, or an API client. With `kind`. */
                    subject?: string;
                    /** @description `purchases` or `requests`. */
                    kind?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Quotas, as this instance knows them. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Quotas"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        /** Changes limits, on every instance within a second. What is not given stays. */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewQuotas"];
                };
            };
            responses: {
                /** @description Before and after. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["QuotasChanged"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported-media-type` */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sales": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All sales, drafts too; but not the one that dry runs buy from. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The sales. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OperatorSalesBody"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        /** Creates a sale as a draft. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewSaleDraft"];
                };
            };
            responses: {
                /** @description The sale. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OperatorSale"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `conflict` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported-media-type` */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sales/{sale}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One sale. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The sale. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OperatorSale"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Changes a sale. */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PatchDraft"];
                };
            };
            responses: {
                /** @description The sale as it is now. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OperatorSale"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `conflict` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported-media-type` */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/admin/v1/sales/{sale}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ends the sale for good. What was accepted is placed. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["Reason"] | null;
                };
            };
            responses: {
                /** @description It is over. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OperatorSale"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `conflict` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sales/{sale}/dry-run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Buys one unit of a sale that is there for this alone, and gives it back: through token, gate, broker, consumer,
         *     database and back to the gate. Units of real sales are not touched; on `seckill.events` it is seen as an order of the
         *     sale `seckill-dry-run` that is cancelled. A failure is an answer: look at `ok`. Takes a minute at most.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Which sale's readiness it counts for */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["Reason"] | null;
                };
            };
            responses: {
                /** @description How it went. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DryRun"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sales/{sale}/ledger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where every unit of the sale is. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The ledger. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Ledger"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `conflict` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sales/{sale}/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * First an event `history` with the whole sale so far (again, where it could not be read at first), then once a second
         *     an event `live`. However many watch, the stores are asked once.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Events: `LiveHistory`, then `Live` after `Live`. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sales/{sale}/open": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Opens a warm sale; it sells within its window. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["Reason"] | null;
                };
            };
            responses: {
                /** @description It is open, or will be by its window. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OperatorSale"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `conflict` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sales/{sale}/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The orders of a sale, a page at a time. With `Accept: application/x-ndjson` all that follow the cursor, one in a line. */
        get: {
            parameters: {
                query?: {
                    /** @description `pending_payment`, `paid`, `expired`, `cancelled` or `rejected`. */
                    status?: string;
                    /** @description Behind this page: its `nextCursor`. */
                    cursor?: string;
                    /** @description Orders on the page: 1 to 1,000, else 100. A stream has no pages. */
                    limit?: number;
                };
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description A page, or a stream. A stream that cannot go on breaks off: its end is that of the answer's body, as HTTP tells it. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OperatorOrders"];
                        "application/x-ndjson": components["schemas"]["OperatorOrder"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sales/{sale}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes no purchases for now. What was accepted is placed. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["Reason"] | null;
                };
            };
            responses: {
                /** @description It is paused. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OperatorSale"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `conflict` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sales/{sale}/readiness": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Can this sale be opened? Everything is looked at now, through this gateway; `dry-run` and `reconcile` tell of their
         *     last time, which has to be of the last 24 hours.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What was found. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SaleReadiness"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sales/{sale}/reconcile": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Compares every record of the gate with its order, and says what differs. With `"repair": true` a sale whose books
         *     differ is loaded again from the database; no counter is ever overwritten.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["Repair"] | null;
                };
            };
            responses: {
                /** @description What was found, and done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Reconciliation"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `conflict` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported-media-type` */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sales/{sale}/report": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How a sale went, or goes. Works without the gate, and for as long as the sale's orders are kept. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The report. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Report"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sales/{sale}/restock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Adds units to an item, or takes some out. Units that are taken out have to be free: they are taken from the gate first. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["RestockDraft"];
                };
            };
            responses: {
                /** @description It is done. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Restocked"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `conflict` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported-media-type` */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sales/{sale}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes purchases again after a pause. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["Reason"] | null;
                };
            };
            responses: {
                /** @description It is open again. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OperatorSale"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `conflict` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/sales/{sale}/warm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Loads the sale's stock into the gate. Again while it is there, it changes nothing. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["Reason"] | null;
                };
            };
            responses: {
                /** @description It is warm. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Warmed"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `conflict` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The story of an order, a job, a buyer or a request. */
        get: {
            parameters: {
                query: {
                    /** @description An order's or a job's id, a buyer's id, or the `X-Request-Id` of an answer. */
                    q: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is stored of it, which may be nothing. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SearchResult"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/admin/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The session that the cookie shows. Shown the key instead, it begins one. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Signed in. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Session"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Begins a session: from now on the cookie stands for the key, on every gateway, for twelve hours or until the key is
         *     changed.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SignIn"];
                };
            };
            responses: {
                /** @description Signed in. */
                200: {
                    headers: {
                        /** @description `seckill_operator`, for this port alone */
                        "Set-Cookie"?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Session"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported-media-type` */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `rate-limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        /** Makes the browser forget its session. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Signed out. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/challenge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A challenge for this buyer, in the format of ALTCHA's widget; 404 while none is asked for. The widget solves it and
         *     hands out a payload, which is sent as `altcha` with the wish for a token.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The challenge; for one token. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Challenge"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `rate-limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/concurrency/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The rules as they are obeyed. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The rules. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConcurrencyAnswer_ConcurrencyConfig"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        /** Changes a part of the rules. Every instance obeys when this answers. */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ConcurrencyChange"];
                };
            };
            responses: {
                /** @description All of the rules, as they are obeyed now. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConcurrencyAnswer_ConcurrencyConfig"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported-media-type` */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/concurrency/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The default rules again. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["Reason"] | null;
                };
            };
            responses: {
                /** @description The default, obeyed now. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConcurrencyAnswer_ConcurrencyConfig"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `forbidden` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/concurrency/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tokens taken and given back in the last 24 hours, by dimension and name. The present hour is included. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The counters; a total that was never counted is 0. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConcurrencyAnswer_BTreeMap_String_u64"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/concurrency/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is used now, of everything that the rules name. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is used. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ConcurrencyAnswer_ConcurrencyUsage"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/demo/buyers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A new buyer and its login. In the demo profile only. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description A buyer that nobody was before. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DemoBuyer"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported-media-type` */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `rate-limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{jobId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A job as it stands. */
        get: {
            parameters: {
                query?: never;
                header?: {
                    /** @description `wait=N`: wait up to N seconds (at most 5) for the end */
                    Prefer?: string | null;
                };
                path: {
                    /** @description As the token and the purchase named it */
                    jobId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The job, in its present state. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Job"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `rate-limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{jobId}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The states of a job, as they come: one event `job` for each, with the job as data. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description As the token and the purchase named it */
                    jobId: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Ends when the job has ended, or after a minute. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": string;
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `rate-limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's orders, of all sales or of one. */
        get: {
            parameters: {
                query?: {
                    /** @description Only of this sale */
                    sale?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The orders; none of an unknown sale. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OrdersBody"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `quota-exceeded`, `rate-limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orders/{order}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One of the caller's orders. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id: the job's */
                    order: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The order. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Order"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `quota-exceeded`, `rate-limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orders/{order}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancels an unpaid order; its units are for sale again at once. Cancelling it again changes nothing. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id: the job's */
                    order: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is cancelled. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Order"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `conflict` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `quota-exceeded`, `rate-limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/orders/{order}/payments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begins a payment for an unpaid order. The order is paid when the provider has said so: ask for the order. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id: the job's */
                    order: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The payment has begun. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Payment"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `conflict` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `quota-exceeded`, `rate-limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/payments/webhook": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What the payment provider reports: a Standard Webhook, `payment.succeeded` or `payment.failed`, with
         *     `data: {paymentId, orderId, amount: {amount, currency}}`. Answered after the commit; anything but a 2xx means: send it
         *     again.
         */
        post: {
            parameters: {
                query?: never;
                header: {
                    /** @description The same for each delivery of it */
                    "webhook-id": string;
                    /** @description Seconds since 1970 */
                    "webhook-timestamp": string;
                    /** @description `v1,` and the base64 of HMAC-SHA-256 over `id.timestamp.body` */
                    "webhook-signature": string;
                };
                path?: never;
                cookie?: never;
            };
            /** @description The event */
            requestBody: {
                content: {
                    "application/json": string;
                };
            };
            responses: {
                /** @description It is noted, now or since an earlier delivery. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `rate-limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sales": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All sales, newest first. */
        get: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The ETag of an earlier answer */
                    "If-None-Match"?: string | null;
                };
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description For a second, from any cache. */
                200: {
                    headers: {
                        /** @description For If-None-Match */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SalesBody"];
                    };
                };
                /** @description Nothing has changed. */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `overloaded`, `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sales/{sale}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One sale. */
        get: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The ETag of an earlier answer */
                    "If-None-Match"?: string | null;
                };
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description For a second, from any cache. */
                200: {
                    headers: {
                        /** @description For If-None-Match */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Sale"];
                    };
                };
                /** @description Nothing has changed. */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sales/{sale}/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Buys. The same token may be sent any number of times and always leads to the same job. */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description `wait=N`: wait up to N seconds (at most 5) for the end */
                    Prefer?: string | null;
                };
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["NewOrder"];
                };
            };
            responses: {
                /** @description Finished within the time of `Prefer: wait`. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Job"];
                    };
                };
                /** @description Accepted; poll the job. */
                202: {
                    headers: {
                        /** @description The job */
                        Location?: string;
                        /** @description Seconds until it is worth asking */
                        "Retry-After"?: number;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Job"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `token-invalid`, `token-expired`, `token-mismatch` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `sale-not-open`, `sold-out`, `limit-reached` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `sale-ended` */
                410: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported-media-type` */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `quantity-invalid` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `quota-exceeded`, `rate-limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `sale-paused`, `overloaded`, `not-ready`, `outcome-unknown` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sales/{sale}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A token for one purchase in this sale. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id */
                    sale: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["TokenWishes"] | null;
                };
            };
            responses: {
                /** @description The token; usable from the opening. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TokenBody"];
                    };
                };
                /** @description `malformed` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `challenge-required`, `challenge-failed` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `sale-not-open` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `sale-ended` */
                410: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `too-large` */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `unsupported-media-type` */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `validation-failed` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `quota-exceeded`, `rate-limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
                /** @description `overloaded`, `not-ready` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/time": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The time, for countdowns. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description By the clock that decides. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["TimeBody"];
                    };
                };
                /** @description `overloaded` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/assets/{file}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A script, style or picture of the pages. */
        get: {
            parameters: {
                query?: never;
                header?: {
                    /** @description The ETag of an earlier answer */
                    "If-None-Match"?: string | null;
                };
                path: {
                    /** @description Its name, as the page says it */
                    file: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description For ever: another content has another name. HEAD is answered too. */
                200: {
                    headers: {
                        /** @description For If-None-Match */
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/octet-stream": number[];
                    };
                };
                /** @description It has not changed. */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `not-found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The description of both ports, for people. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Every route and its answers. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/html": string;
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Is the process alive? */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The measures of this process. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Prometheus' text format. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The description of both ports, for programs. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description OpenAPI 3.1. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": Record<string, never>;
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/problem+json": components["schemas"]["Problem"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Can the process do its work now? */
        get: {
            parameters: {
                query?: {
                    /** @description List the checks */
                    verbose?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It can. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Readiness"];
                    };
                };
                /** @description It cannot, or is about to stop. */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Readiness"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description What a solver computes. Both are part of the widget as it comes.
         * @enum {string}
         */
        Algorithm: "PBKDF2/SHA-256" | "SHA-256";
        /** @description One thing that was done. */
        AuditLine: {
            /** @description For example `create`, `set-state`, `restock`, `set-limits`. */
            action: string;
            /** @description How they are now, or what was asked for. */
            after: unknown;
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description How things were, where that is known. */
            before?: unknown;
            /**
             * Format: int64
             * @description Its number; later lines have higher ones.
             */
            id: number;
            /** @description Why, in the operator's words. */
            reason?: string | null;
            /** @description The sale it was done to, if it was one. */
            sale?: string | null;
            /** @description `console`, `api` or `cli`. */
            via: string;
        };
        /** @description A page of the audit log. */
        AuditLog: {
            /** @description Newest first. */
            entries: components["schemas"]["AuditLine"][];
            /**
             * Format: int64
             * @description What `before` has to be for the next page; `null` after the last.
             */
            next?: number | null;
        };
        /** @description A second. */
        BusiestSecond: {
            /**
             * Format: int64
             * @description Purchases answered.
             */
            asked: number;
            /**
             * Format: date-time
             * @description Its beginning.
             */
            at: string;
        };
        /** @description A challenge, for ALTCHA's widget. */
        Challenge: {
            /** @description What has to be solved. */
            parameters: components["schemas"]["ChallengeParameters"];
            /** @description That it is ours, and for this buyer. Hex. */
            signature: string;
        };
        /**
         * @description What has to be solved: the counter with which the derived key begins with `keyPrefix`. In alphabetical order, which
         *     is how they are signed.
         */
        ChallengeParameters: {
            /** @description What is computed. */
            algorithm: components["schemas"]["Algorithm"];
            /**
             * Format: int32
             * @description Iterations.
             */
            cost: number;
            /**
             * Format: int64
             * @description Seconds since 1970.
             */
            expiresAt: number;
            /**
             * Format: int32
             * @description Bytes of the derived key.
             */
            keyLength: number;
            /** @description How the derived key begins. Hex. */
            keyPrefix: string;
            /** @description The rest of it, for us alone to recognise. Hex. */
            keySignature: string;
            /** @description First part of the password; the counter, as four bytes, is the second. Hex. */
            nonce: string;
            /** @description Hex. */
            salt: string;
        };
        /** @description One check, as `/readyz?verbose` lists it. */
        Check: {
            /**
             * Format: int64
             * @description How long ago, in milliseconds.
             */
            ageMs: number;
            connections?: components["schemas"]["Connections"] | null;
            /** @description What was looked at. */
            name: string;
            /** @description Was it well? */
            ok: boolean;
        };
        /** @description What every answer here is wrapped in. */
        ConcurrencyAnswer_BTreeMap_String_u64: {
            data: {
                [key: string]: number;
            };
            /** @description After a change: that it is obeyed already. */
            message?: string | null;
            /** @description Always `true`: a failure is a problem. */
            success: boolean;
        };
        /** @description What every answer here is wrapped in. */
        ConcurrencyAnswer_ConcurrencyConfig: {
            /** @description The rules. 0 means unlimited. */
            data: {
                /**
                 * Format: int32
                 * @description Orders in flight by buyer.
                 */
                account_max: number;
                /** @description `false`: nothing is limited. */
                enabled: boolean;
                /**
                 * Format: int32
                 * @description Orders in flight (admitted and not settled) over all sales.
                 */
                global_max: number;
                /** @description Orders in flight by sales channel. */
                platform_max: {
                    [key: string]: number;
                };
                /** @description Background tasks at once by type: publish, batch_publish, rebuild, reconcile, refund. */
                task_type_max: {
                    [key: string]: number;
                };
                /**
                 * Format: int32
                 * @description Seconds until a token ends by itself.
                 */
                timeout: number;
            };
            /** @description After a change: that it is obeyed already. */
            message?: string | null;
            /** @description Always `true`: a failure is a problem. */
            success: boolean;
        };
        /** @description What every answer here is wrapped in. */
        ConcurrencyAnswer_ConcurrencyUsage: {
            /** @description What is used of each dimension. */
            data: {
                /** @description Orders in flight over all sales. */
                global: components["schemas"]["ConcurrencyUse"];
                /** @description Orders in flight by channel. */
                platforms: {
                    [key: string]: components["schemas"]["ConcurrencyUse"];
                };
                /** @description Tasks by type. */
                task_types: {
                    [key: string]: components["schemas"]["ConcurrencyUse"];
                };
            };
            /** @description After a change: that it is obeyed already. */
            message?: string | null;
            /** @description Always `true`: a failure is a problem. */
            success: boolean;
        };
        /** @description What to change; the rest stays, also inside the maps. */
        ConcurrencyChange: {
            /**
             * Format: int32
             * @description 0 to 1000000.
             */
            account_max?: number | null;
            /** @description `false`: nothing is limited. */
            enabled?: boolean | null;
            /**
             * Format: int32
             * @description 0 to 1000000.
             */
            global_max?: number | null;
            /** @description By channel: 0 to 1000000. */
            platform_max?: {
                [key: string]: number;
            } | null;
            /** @description Why, for the audit log. */
            reason?: string | null;
            /** @description By type of task: 0 to 1000000. */
            task_type_max?: {
                [key: string]: number;
            } | null;
            /**
             * Format: int32
             * @description 1 to 86400.
             */
            timeout?: number | null;
        };
        /** @description The rules. 0 means unlimited. */
        ConcurrencyConfig: {
            /**
             * Format: int32
             * @description Orders in flight by buyer.
             */
            account_max: number;
            /** @description `false`: nothing is limited. */
            enabled: boolean;
            /**
             * Format: int32
             * @description Orders in flight (admitted and not settled) over all sales.
             */
            global_max: number;
            /** @description Orders in flight by sales channel. */
            platform_max: {
                [key: string]: number;
            };
            /** @description Background tasks at once by type: publish, batch_publish, rebuild, reconcile, refund. */
            task_type_max: {
                [key: string]: number;
            };
            /**
             * Format: int32
             * @description Seconds until a token ends by itself.
             */
            timeout: number;
        };
        /** @description What is used of each dimension. */
        ConcurrencyUsage: {
            /** @description Orders in flight over all sales. */
            global: components["schemas"]["ConcurrencyUse"];
            /** @description Orders in flight by channel. */
            platforms: {
                [key: string]: components["schemas"]["ConcurrencyUse"];
            };
            /** @description Tasks by type. */
            task_types: {
                [key: string]: components["schemas"]["ConcurrencyUse"];
            };
        };
        /** @description How much of a dimension is used. */
        ConcurrencyUse: {
            /**
             * Format: int64
             * @description Tokens that are taken. What is unlimited keeps none and says 0; but `global` is then
             *     counted from the gate, and up to a second old.
             */
            current: number;
            /**
             * Format: int32
             * @description The limit; 0: unlimited.
             */
            max: number;
        };
        /** @description The connections to a dependency. */
        Connections: {
            /**
             * Format: int32
             * @description With work on them; of one that all calls share: calls without an answer yet.
             */
            inUse: number;
            /**
             * Format: int32
             * @description The most of the latter.
             */
            max: number;
            /**
             * Format: int32
             * @description Open now.
             */
            open: number;
            /**
             * Format: int64
             * @description Lost or grown old since the start, and made anew where they were needed.
             */
            renewed: number;
        };
        /** @description A message that could not be read or placed. */
        DeadLetter: {
            /** @description Its beginning, as text. */
            body: string;
            /** @description What that means, what became of its jobs, and what to do. */
            explanation: string;
            /** @description The jobs it carried, as far as known. */
            jobs: string[];
            /** @description The message, not a job. */
            messageId: string;
            /** @description Why it is here. */
            why: string;
        };
        /** @description What was done. */
        DeadLettersDone: {
            /** @description So many letters. */
            count: number;
            /** @description With `dryRun`: these, and nothing was done. */
            wouldBe?: components["schemas"]["DeadLetter"][] | null;
        };
        /** @description A buyer of the demo. */
        DemoBuyer: {
            /** @description Its login, good for twelve hours. */
            accessToken: string;
            /** @description Its id. */
            buyer: string;
        };
        /** @description How a job ended. */
        DiscardedJob: {
            /** @description `false`: it had ended before, and nothing was changed. */
            changed: boolean;
            /**
             * Format: uuid
             * @description The job.
             */
            jobId: string;
            /** @description `refused`, or `placed`: it has its order, and keeps it. */
            status: string;
        };
        /** @description How a dry run went. */
        DryRun: {
            /**
             * Format: int64
             * @description How long it took, in milliseconds.
             */
            ms: number;
            /** @description Did every step succeed? */
            ok: boolean;
            /** @description Is it in the audit log? `false`: readiness does not know of it. */
            remembered: boolean;
            /** @description The steps that were taken, in their order. What follows a failure is left out, but not `undo`. */
            steps: components["schemas"]["DryRunStep"][];
        };
        /** @description One step. */
        DryRunStep: {
            /** @description Why it failed. */
            detail?: string | null;
            /**
             * Format: int64
             * @description How long it took, in milliseconds.
             */
            ms: number;
            /** @description `token`, `admit`, `publish`, `place`, `effect` or `undo`. */
            name: string;
            /** @description Did it succeed? */
            ok: boolean;
        };
        /** @description Facts that some problems carry. */
        Extras: {
            challenge?: components["schemas"]["Challenge"] | null;
            /** @description With `validation-failed`: the field that is wrong, for example `items[0].stock`. */
            field?: string | null;
            /**
             * Format: uuid
             * @description With `limit-reached`: the buyer's job. With `outcome-unknown`: the job this purchase has, if any.
             */
            jobId?: string | null;
            /**
             * Format: int32
             * @description With `limit-reached` and `quantity-invalid`: units that one buyer may hold in the sale.
             */
            limit?: number | null;
            /**
             * Format: date-time
             * @description With `sold-out`, while unpaid orders hold units: until when these may come back.
             */
            mayReturnUntil?: string | null;
            /**
             * Format: date-time
             * @description With `sale-not-open`: when the sale opens.
             */
            opensAt?: string | null;
            /** @description With `quota-exceeded`: what is counted, `purchases` or `requests`. */
            quota?: string | null;
            /**
             * Format: date-time
             * @description With `quota-exceeded`: when the next day begins.
             */
            resetsAt?: string | null;
            /**
             * Format: date-time
             * @description With `sale-not-open`: the clock that decided.
             */
            serverTime?: string | null;
        };
        /** @description One thing that is not as it should be. */
        Finding: {
            /** @description The item, where known. */
            item?: string | null;
            /**
             * Format: uuid
             * @description The job, where it is about one.
             */
            jobId?: string | null;
            /**
             * Format: int64
             * @description What it adds to the item's difference: above 0, units are missing.
             */
            units: number;
            /** @description In a sentence. */
            what: string;
        };
        /** @description A job, and what happened to it. */
        Found: {
            /** @description Who bought, where that is known. */
            buyer?: string | null;
            /**
             * Format: uuid
             * @description The job, which is the order's id as well.
             */
            jobId: string;
            /** @description What the text was the id of: `order`, `job` (there is no order of it), `buyer` or `request`. */
            kind: string;
            /** @description The sale; absent where it is not there any more. */
            sale?: string | null;
            /** @description The order's, else the job's at the gate: `queued`, `placed` or `refused`; else `unknown`. */
            status: string;
            /** @description In the order in which it happened. */
            story: components["schemas"]["StoryLine"][];
        };
        /** @description What is for sale of an item. */
        Free: {
            /**
             * Format: int64
             * @description Units.
             */
            free: number;
            /** @description The item. */
            id: string;
        };
        /** @description What came of the purchases: `asked = accepted + repeated + refused`. */
        Funnel: {
            /** Format: int64 */
            accepted: number;
            /** Format: int64 */
            asked: number;
            /** @description By the code of the problem. */
            refused: {
                [key: string]: number;
            };
            /**
             * Format: int64
             * @description Their token had its job before.
             */
            repeated: number;
        };
        /** @description An item as shoppers see it. The exact stock is the seller's business. */
        Item: {
            /** @description Its name in purchases. */
            id: string;
            /** @description For one unit. */
            price: components["schemas"]["Money"];
            /**
             * Format: int32
             * @description Whole percent of the stock that is taken; 100 only when nothing is left.
             */
            soldPercent: number;
            /** @description `plenty`, `low` (a tenth or less is left) or `none`. */
            stockLevel: string;
            /** @description For people. */
            title: string;
        };
        /** @description Changes of an item. */
        ItemPatchDraft: {
            /** @description Which item. */
            id: string;
            price?: components["schemas"]["PriceDraft"] | null;
            /**
             * Format: int64
             * @description New stock, 0 to 100000000 units.
             */
            stock?: number | null;
        };
        /** @description A job as its buyer polls it. */
        Job: {
            /** @description The item; `null` where the gate knows the job only by its id. */
            item?: string | null;
            /**
             * Format: uuid
             * @description The token's id and, once placed, the order's.
             */
            jobId: string;
            /** @description For people. */
            message: string;
            /** @description When placed: the order, for its owner. */
            orderUrl?: string | null;
            /**
             * Format: int32
             * @description While queued: ask again after this many milliseconds.
             */
            pollAfterMs?: number | null;
            /**
             * Format: int32
             * @description Units asked for; `null` likewise.
             */
            quantity?: number | null;
            /** @description When refused: `sold-out`, `limit-reached`, `unplaceable` or `discarded`. */
            reason?: string | null;
            /** @description The sale. */
            sale: string;
            /** @description `queued`, `placed` or `refused`. */
            status: string;
            /** @description Where to ask again. */
            statusUrl: string;
            /**
             * Format: date-time
             * @description When it last changed.
             */
            updatedAt: string;
        };
        /** @description Times that so many of a hundred did not exceed, in milliseconds, to within an eighth. */
        Latency: {
            /** Format: double */
            p50: number;
            /** Format: double */
            p95: number;
            /** Format: double */
            p99: number;
        };
        /** @description The ledger: `stock = free + unpublished + queued + held + paid + difference`, in units. */
        Ledger: {
            /**
             * Format: date-time
             * @description By the gate's clock.
             */
            at: string;
            /** @description Its items. */
            items: components["schemas"]["LedgerLine"][];
            /** @description The sale. */
            sale: string;
        };
        /** @description A line of the ledger, in units. */
        LedgerLine: {
            /**
             * Format: int64
             * @description Above 0 units are missing, below 0 there are too many.
             */
            difference: number;
            /**
             * Format: int64
             * @description For sale.
             */
            free: number;
            /**
             * Format: int64
             * @description In unpaid orders.
             */
            held: number;
            /** @description The item. */
            id: string;
            /**
             * Format: int64
             * @description In paid orders.
             */
            paid: number;
            /**
             * Format: int64
             * @description On the queue.
             */
            queued: number;
            /**
             * Format: int64
             * @description In total.
             */
            stock: number;
            /**
             * Format: int64
             * @description Admitted, not known to be on the queue.
             */
            unpublished: number;
        };
        /** @description Dead letters. */
        LettersBody: {
            /** @description Oldest first, at most 200. */
            deadLetters: components["schemas"]["DeadLetter"][];
        };
        /** @description A limit that all gateways keep together, in Redis. */
        LimitRule: {
            /** @description What is counted: `token`, `order`, `status`, or `any` of them together. */
            action: components["schemas"]["RuleAction"];
            /**
             * @description `sliding-window` (never more than `limit` in any window) or `gcra` (`limit` at once, then one each
             *     `window / limit`; cheaper, for high limits).
             */
            algorithm?: components["schemas"]["RuleAlgorithm"];
            /**
             * Format: int32
             * @description Requests in a window: 1 to 10,000 for `sliding-window`, 1 to 100,000 a second for `gcra`.
             */
            limit: number;
            /** @description 1 to 32 of a-z, 0-9 and `-`. Callers see it in `RateLimit-Policy`. */
            name: string;
            /**
             * @description By what it is counted. `ip` and `buyer` are one caller's own limit (429); `sale` and `channel` are everybody's
             *     together (503). An address is counted only for requests that show no valid token, login or job.
             */
            subject: components["schemas"]["RuleSubject"];
            /**
             * Format: int32
             * @description The window, 1 to 86,400 seconds.
             */
            windowSeconds: number;
        };
        /** @description A shared rule, or changes of one. */
        LimitRuleDraft: {
            /** @description `token`, `order`, `status` or `any`. */
            action?: string | null;
            /** @description `sliding-window`, as a new rule is unless it says otherwise, or `gcra`. */
            algorithm?: string | null;
            /**
             * Format: int64
             * @description Requests in a window, at least 1.
             */
            limit?: number | null;
            /** @description Which: 1 to 32 of a-z, 0-9 and `-`. */
            name: string;
            /** @description `ip`, `buyer`, `sale` or `channel`. */
            subject?: string | null;
            /**
             * Format: int64
             * @description 1 to 86400.
             */
            windowSeconds?: number | null;
        };
        /** @description Every limit, as it is obeyed. */
        Limits: {
            /** @description Rates of one caller on one gateway. */
            local: components["schemas"]["LocalLimits"];
            /** @description Rules that all gateways keep together; none by default, and then nothing is asked. */
            shared: components["schemas"]["LimitRule"][];
        };
        /** @description A change of the limits. */
        LimitsChanged: {
            /** @description What holds from now on. */
            after: components["schemas"]["Limits"];
            /** @description What held until now. */
            before: components["schemas"]["Limits"];
            /**
             * Format: int64
             * @description How often they were changed.
             */
            version: number;
        };
        /** @description Changes of the limits; what is left out stays. */
        LimitsDraft: {
            local?: components["schemas"]["LocalDraft"] | null;
            /** @description Why, for the audit log. */
            reason?: string | null;
            /** @description Names of shared rules that are to go. They go before others come. */
            remove?: string[] | null;
            /** @description Begin with what the configuration says, not with what is obeyed now. */
            reset?: boolean | null;
            /** @description Shared rules, by name: of a known one, what is to change; a new one as a whole. */
            shared?: components["schemas"]["LimitRuleDraft"][] | null;
        };
        /** @description The limits as they stand. */
        LimitsNow: {
            /** @description What the configuration says. */
            default: components["schemas"]["Limits"];
            /**
             * Format: int64
             * @description How many different callers this gateway has refused for a limit of their own within a minute, to about two percent.
             */
            limitedCallers: number;
            /** @description What this gateway obeys, and every other one within a second. */
            limits: components["schemas"]["Limits"];
            /**
             * Format: int64
             * @description How often they were changed; 0: never, the configuration holds.
             */
            version: number;
        };
        /** @description The event `live`, once a second. A part that cannot be read now is left out and named in `missing`. */
        Live: {
            /**
             * Format: int64
             * @description How long ago funnel, rates and latencies were read, in milliseconds.
             */
            activityAgeMs?: number | null;
            /**
             * Format: date-time
             * @description By the clock that decides about windows.
             */
            at: string;
            /**
             * Format: date-time
             * @description First moment after it.
             */
            closesAt: string;
            /**
             * Format: int64
             * @description Messages among the dead letters, of all sales.
             */
            deadLetters?: number | null;
            /** @description What this gateway depends on, as it last looked. */
            dependencies: components["schemas"]["LiveDependency"][];
            funnel?: components["schemas"]["Funnel"] | null;
            /** @description Gateways that were alive within two minutes. */
            gateways?: components["schemas"]["LiveGateway"][] | null;
            /** @description Where the units are. */
            items: components["schemas"]["LiveItem"][];
            /** @description Of the last ten seconds, by stage; a stage in which nothing happened is left out. */
            latencyMs?: {
                [key: string]: components["schemas"]["Latency"];
            } | null;
            /**
             * Format: int64
             * @description How old the ledger is that the items are from, in milliseconds.
             */
            ledgerAgeMs?: number | null;
            /** @description `ledger`, `activity`, `queue`, `deadLetters`, `gateways`. */
            missing: string[];
            /**
             * Format: date-time
             * @description First moment of the window.
             */
            opensAt: string;
            perSecond?: components["schemas"]["Rates"] | null;
            /** @description As for operators: `draft`, `scheduled`, `open`, `paused`, `soldOut`, `ended`. */
            phase: string;
            queue?: components["schemas"]["LiveQueue"] | null;
        };
        /** @description A dependency. */
        LiveDependency: {
            /**
             * Format: int64
             * @description How long ago, in milliseconds.
             */
            ageMs: number;
            /** @description What it is. */
            name: string;
            /** @description Was it well? */
            ok: boolean;
        };
        /** @description A gateway. */
        LiveGateway: {
            /**
             * Format: int64
             * @description How long ago it was alive, in milliseconds.
             */
            ageMs: number;
            /** @description One run of one process. */
            instance: string;
        };
        /** @description The first event of the stream, `history`: the whole sale so far. */
        LiveHistory: {
            /** @description At most 600; steps in which nothing happened are left out. */
            points: components["schemas"]["LivePoint"][];
            /**
             * Format: int64
             * @description Seconds in a step.
             */
            stepSeconds: number;
        };
        /** @description An item. Without the ledger only its stock is known. */
        LiveItem: (components["schemas"]["LiveUnits"] | null) & {
            /** @description Its name. */
            id: string;
            /**
             * Format: date-time
             * @description When nothing was left; while something is, when that will be at the pace of the last seconds.
             */
            soldOutAt?: string | null;
            /**
             * Format: int64
             * @description In total.
             */
            stock: number;
            /** @description For people. */
            title: string;
        };
        /** @description One step. Counts are of the step, levels at its end; a level that did not change in it is left out. */
        LivePoint: {
            /**
             * Format: int64
             * @description Those that got a job.
             */
            accepted: number;
            /**
             * Format: int64
             * @description Purchases answered, over all gateways.
             */
            asked: number;
            /**
             * Format: date-time
             * @description Its beginning.
             */
            at: string;
            /**
             * Format: int64
             * @description Units for sale.
             */
            free?: number | null;
            /**
             * Format: int64
             * @description Units in unpaid orders.
             */
            held?: number | null;
            /**
             * Format: double
             * @description 99 of 100 were answered within so many milliseconds; absent where nothing was asked.
             */
            p99Ms?: number | null;
            /**
             * Format: int64
             * @description Units in paid orders.
             */
            paid?: number | null;
            /**
             * Format: int64
             * @description Units that are accepted and in no order yet.
             */
            queued?: number | null;
            /**
             * Format: int64
             * @description Those that were refused.
             */
            refused: number;
        };
        /** @description Accepted and in no order yet. */
        LiveQueue: {
            /**
             * Format: int64
             * @description Jobs of this sale.
             */
            depth: number;
            /**
             * Format: double
             * @description How long the oldest one has waited.
             */
            oldestSeconds: number;
        };
        /** @description Units of an item. */
        LiveUnits: {
            /**
             * Format: int64
             * @description Above 0 units are missing, below 0 there are too many.
             */
            difference: number;
            /**
             * Format: int64
             * @description For sale.
             */
            free: number;
            /**
             * Format: int64
             * @description In unpaid orders.
             */
            held: number;
            /**
             * Format: int64
             * @description In paid orders.
             */
            paid: number;
            /**
             * Format: int64
             * @description On the queue.
             */
            queued: number;
            /**
             * Format: int64
             * @description Admitted, not known to be on the queue.
             */
            unpublished: number;
        };
        /** @description Changes of the rates of one caller on one gateway. */
        LocalDraft: {
            orderPerBuyer?: components["schemas"]["RateDraft"] | null;
            perIp?: components["schemas"]["RateDraft"] | null;
            status?: components["schemas"]["RateDraft"] | null;
            tokenPerBuyer?: components["schemas"]["RateDraft"] | null;
        };
        /** @description Rates of one caller on one gateway. */
        LocalLimits: {
            /** @description Purchases of one buyer, counted after the token's signature was checked. */
            orderPerBuyer: components["schemas"]["Rate"];
            /** @description Requests of one address (IPv6: one /64) that show no valid token, login or job. */
            perIp: components["schemas"]["Rate"];
            /** @description Reads of one job, and of one buyer's orders. */
            status: components["schemas"]["Rate"];
            /** @description Tokens issued to one buyer. */
            tokenPerBuyer: components["schemas"]["Rate"];
        };
        /** @description Locks, over all processes and in this one. */
        Locks: {
            /**
             * Format: int64
             * @description Held now by all processes; `null` while nobody can be asked.
             */
            active?: number | null;
            /** @description Is that so now? */
            fallback: boolean;
            /**
             * Format: int64
             * @description Times that the database was asked for one because Redis was away.
             */
            fallbacks: number;
            /** @description Held by this one. */
            heldHere: number;
            /**
             * Format: int64
             * @description How many different callers this gateway has refused for a limit of their own within a minute, to about two percent.
             */
            limitedUsers: number;
            /**
             * Format: int32
             * @description Seconds after which a lock that is not renewed is anybody's.
             */
            lockTimeoutS: number;
            /**
             * Format: int64
             * @description Locks that were lost while they were needed.
             */
            lost: number;
            /** @description Names that this process remembers. */
            remembered: number;
            /**
             * Format: int64
             * @description Waits that ended without the lock, since the start.
             */
            timeouts: number;
            /** @description Tasks of this process that wait for one. */
            waiting: number;
        };
        /** @description An amount in the currency's minor unit: 1999 CNY is 19.99 yuan. */
        Money: {
            /**
             * Format: int64
             * @description Minor units.
             * @example 19900
             */
            amount: number;
            /**
             * @description ISO 4217.
             * @example CNY
             */
            currency: string;
        };
        /** @description An item of a new sale. */
        NewItemDraft: {
            /**
             * @description 1 to 64 letters, digits, `-`, `_` or `.`; never changes.
             * @example red-42
             */
            id: string;
            /** @description For one unit. */
            price: components["schemas"]["PriceDraft"];
            /**
             * Format: int64
             * @description Units for sale, 0 to 100000000.
             */
            stock: number;
            /** @description For people, 1 to 200 characters. */
            title: string;
        };
        /** @description A purchase. */
        NewOrder: {
            /** @description The item's id. */
            item: string;
            /**
             * Format: int32
             * @description Units: a whole number from 1 to the sale's `limitPerBuyer`.
             */
            quantity: number;
            /** @description The sale token. It names the buyer. */
            token: string;
        };
        /** @description New limits. What is not given stays. */
        NewQuotas: {
            /**
             * Format: int64
             * @description Units of one buyer in a day, over all sales. 0: no limit.
             */
            purchasesPerBuyerAndDay?: number | null;
            /** @description Why, at most 500 characters. Kept in the audit log. */
            reason?: string | null;
            /**
             * Format: int64
             * @description Requests of one API client in a day. 0: no limit.
             */
            requestsPerClientAndDay?: number | null;
        };
        /** @description A new sale. */
        NewSaleDraft: {
            /**
             * Format: date-time
             * @description First moment at which none is accepted any more, RFC 3339.
             */
            closesAt: string;
            /**
             * @description 1 to 64 letters, digits, `-`, `_` or `.`; never changes.
             * @example s1
             */
            id: string;
            /** @description 1 to 50 items. */
            items: components["schemas"]["NewItemDraft"][];
            /**
             * Format: int64
             * @description Units that one buyer may hold, 1 to 10000; 1 if left out.
             */
            limitPerBuyer?: number | null;
            /**
             * Format: date-time
             * @description First moment at which a purchase is accepted, RFC 3339.
             */
            opensAt: string;
            /**
             * Format: int64
             * @description Seconds an order waits for its payment, 10 to 604800; 900 if left out.
             */
            paymentWindowSeconds?: number | null;
            /** @description Why, for the audit log. */
            reason?: string | null;
            /** @description For people, 1 to 200 characters. */
            title: string;
        };
        /** @description One kind of call since the start. Times are those of the last calls, 5,000 over all operations. */
        Operation: {
            /**
             * Format: int64
             * @description Calls.
             */
            count: number;
            /** @description The others, by kind. */
            errors: {
                [key: string]: number;
            };
            /**
             * Format: double
             * @description The slowest.
             */
            maxMs: number;
            /**
             * Format: double
             * @description All of them on average.
             */
            meanMs: number;
            /**
             * Format: double
             * @description The quickest, in milliseconds.
             */
            minMs: number;
            /** @description A route, or `task` and its kind. */
            name: string;
            /**
             * Format: double
             * @description Half of them took no longer.
             */
            p50Ms: number;
            /**
             * Format: double
             * @description Nine of ten took no longer.
             */
            p90Ms: number;
            /**
             * Format: double
             * @description 99 of 100 took no longer.
             */
            p99Ms: number;
            /** @description Calls that the times are from. */
            recorded: number;
            /**
             * Format: int64
             * @description Those of them that ended well. A refusal is an answer: only 500 and above have failed.
             */
            succeeded: number;
            /**
             * Format: double
             * @description `succeeded` of `count`, from 0 to 1.
             */
            successRate: number;
        };
        /** @description An item as operators see it. */
        OperatorItem: {
            /** @description Its name. */
            id: string;
            /** @description For one unit. */
            price: components["schemas"]["Money"];
            /**
             * Format: int64
             * @description Units in total.
             */
            stock: number;
            /** @description For people. */
            title: string;
        };
        /** @description One order. */
        OperatorOrder: {
            /** @description Who bought. */
            buyer?: string | null;
            /**
             * Format: date-time
             * @description When it was written.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When an unpaid order ends.
             */
            expiresAt?: string | null;
            /**
             * Format: uuid
             * @description Its id.
             */
            id: string;
            /** @description The item; absent where its message could not be read, as is the buyer. */
            item?: string | null;
            /**
             * Format: uuid
             * @description The job's: the same.
             */
            jobId: string;
            /**
             * Format: date-time
             * @description When its payment was there.
             */
            paidAt?: string | null;
            /**
             * Format: int32
             * @description Units.
             */
            quantity: number;
            /** @description Why it was rejected. */
            reason?: string | null;
            /** @description `pending_payment`, `paid`, `expired`, `cancelled` or `rejected`. */
            status: string;
        };
        /** @description A page of orders. */
        OperatorOrders: {
            /** @description What `cursor` has to be for the next page; absent after the last. */
            nextCursor?: string | null;
            /** @description In the order in which their tokens were issued. There may be fewer than asked for, though more follow. */
            orders: components["schemas"]["OperatorOrder"][];
        };
        /** @description A sale as operators see it. */
        OperatorSale: {
            /**
             * Format: date-time
             * @description First moment at which none is accepted any more.
             */
            closesAt: string;
            /**
             * Format: int32
             * @description How often it was loaded into the gate; 0 means it is not warm.
             */
            epoch: number;
            /** @description Its name. */
            id: string;
            /** @description What is sold. */
            items: components["schemas"]["OperatorItem"][];
            /**
             * Format: int32
             * @description Units that one buyer may hold in live orders, over all items.
             */
            limitPerBuyer: number;
            /**
             * Format: date-time
             * @description First moment at which a purchase is accepted.
             */
            opensAt: string;
            /**
             * Format: int32
             * @description Seconds an order waits for its payment.
             */
            paymentWindowSeconds: number;
            /** @description What shoppers see: `draft`, `scheduled`, `open`, `paused`, `soldOut` or `ended`. */
            phase: string;
            /** @description What the operator decided: `draft`, `open`, `paused` or `closed`. */
            state: string;
            /** @description For people. */
            title: string;
        };
        /** @description Sales. */
        OperatorSalesBody: {
            /** @description Newest first; those that ended in the last 30 days are among them. */
            sales: components["schemas"]["OperatorSale"][];
        };
        /** @description An order. */
        Order: {
            amount?: components["schemas"]["Money"] | null;
            /**
             * Format: date-time
             * @description When it was written.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it ends unless it is paid; while it waits for that.
             */
            expiresAt?: string | null;
            /** @description The item; `null` on a rejected order whose purchase could not be read. */
            item?: string | null;
            /**
             * Format: uuid
             * @description Its id: the job's and the token's.
             */
            orderId: string;
            /**
             * Format: int32
             * @description Units.
             */
            quantity: number;
            /** @description When rejected: `sold-out`, `limit-reached`, `unplaceable` or `discarded`. */
            reason?: string | null;
            /** @description A payment that did not pay this order: `open` (being decided), `refund_due` or `refunded`. */
            refund?: string | null;
            /** @description The sale. */
            sale: string;
            /** @description `pending_payment`, `paid`, `expired`, `cancelled` or `rejected`. */
            status: string;
        };
        /** @description A buyer's orders. */
        OrdersBody: {
            /** @description Newest first, at most 100. */
            orders: components["schemas"]["Order"][];
        };
        /**
         * @description Changes of a sale; what is left out stays. Limit and window may change at any time, price and stock only before
         *     warm-up.
         */
        PatchDraft: {
            /**
             * Format: date-time
             * @description New closing, RFC 3339.
             */
            closesAt?: string | null;
            /** @description New prices and stocks. */
            items?: components["schemas"]["ItemPatchDraft"][] | null;
            /**
             * Format: int64
             * @description New limit, 1 to 10000.
             */
            limitPerBuyer?: number | null;
            /**
             * Format: date-time
             * @description New opening, RFC 3339.
             */
            opensAt?: string | null;
            /**
             * Format: int64
             * @description New payment window, 10 to 604800 seconds.
             */
            paymentWindowSeconds?: number | null;
            /** @description Why, for the audit log. */
            reason?: string | null;
            /** @description For people, 1 to 200 characters. */
            title?: string | null;
        };
        /** @description A payment that was begun. */
        Payment: {
            amount?: components["schemas"]["Money"] | null;
            /**
             * Format: uuid
             * @description What it is for.
             */
            orderId: string;
            /** @description The provider's name for it. */
            paymentId: string;
            /** @description Where the buyer goes on, if anywhere. */
            url?: string | null;
        };
        /** @description This process in figures. */
        Performance: {
            /** @description Locks that all processes agree on. */
            locks: components["schemas"]["Locks"];
            /** @description Each that was called: routes, tasks. */
            operations: components["schemas"]["Operation"][];
            /** @description Its dependencies as they were last looked at, with their connections. */
            pools: components["schemas"]["Check"][];
            /** @description What it takes of the machine. */
            process: components["schemas"]["Process"];
            /** @description Work in the background, by kind. */
            tasks: components["schemas"]["Tasks"][];
        };
        /** @description A price in minor units. */
        PriceDraft: {
            /**
             * Format: int64
             * @description 0 to 1000000000000.
             */
            amount: number;
            /** @description ISO 4217: three capital letters. */
            currency: string;
        };
        /** @description The body of a problem. */
        Problem: components["schemas"]["Extras"] & {
            /** @description What programs decide by. */
            code: string;
            /** @description This problem, in a sentence. */
            detail: string;
            /** @description Names this request in our logs. */
            requestId: string;
            /** @description May the same request succeed later? `Retry-After` says when to try. */
            retryable: boolean;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The same for every problem of this code. */
            title: string;
            /** @description A URN that ends with the code. */
            type: string;
        };
        /** @description What the process takes of its machine; `null` where the system does not say. */
        Process: {
            /**
             * Format: double
             * @description Share of one processor since the last look; above 100 on several.
             */
            cpuPercent?: number | null;
            /**
             * Format: double
             * @description Processor time since the start, over all threads.
             */
            cpuSeconds?: number | null;
            /**
             * Format: int64
             * @description Left on it.
             */
            diskFreeBytes?: number | null;
            /**
             * Format: int64
             * @description In use on the disk of the data directory.
             */
            diskUsedBytes?: number | null;
            /**
             * Format: int64
             * @description Memory in use.
             */
            memoryBytes?: number | null;
        };
        /** @description How usage is written. */
        QuotaConsumer: {
            /** @description Uses in one statement. */
            batchSize: number;
            /** @description Uses that may wait. */
            channelSize: number;
            /** @description `false`: each use is written before its answer. */
            enabled: boolean;
            /**
             * Format: int64
             * @description A batch that is not full is written after this long.
             */
            flushIntervalMs: number;
            /**
             * Format: int32
             * @description Attempts before a batch counts as failed.
             */
            retryAttempts: number;
            /**
             * Format: int64
             * @description Between two attempts.
             */
            retryDelayMs: number;
            /** @description Tasks that write. */
            workerCount: number;
        };
        /** @description How the workers are. */
        QuotaHealth: {
            /** @description Uses that wait in the channel. */
            channelFill: number;
            /** @description All workers live, what they write arrives, and there is room for more. */
            healthy: boolean;
            /** @description Uses in batches that are not written yet. */
            inBatches: number;
            /**
             * Format: date-time
             * @description When something was last written.
             */
            lastFlushAt?: string | null;
            /** @description Workers that live. */
            workersAlive: number;
            /**
             * Format: int64
             * @description Workers that died and were replaced.
             */
            workersReplaced: number;
        };
        /** @description What one subject may use in a day. 0: no limit. */
        QuotaLimits: {
            /**
             * Format: int64
             * @description Units of one buyer, over all sales.
             */
            purchasesPerBuyerAndDay: number;
            /**
             * Format: int64
             * @description Requests of one API client: the login's `client_id`.
             */
            requestsPerClientAndDay: number;
        };
        /** @description What became of uses: `total` is `processed`, `dropped` and what waits. */
        QuotaStatistics: {
            /**
             * Format: int64
             * @description Batches written.
             */
            batches: number;
            /**
             * Format: int64
             * @description Counted by Postgres, because Redis was away.
             */
            direct: number;
            /**
             * Format: int64
             * @description Given up: a request was refused instead; a purchase will be counted by its order.
             */
            dropped: number;
            /**
             * Format: int64
             * @description Times that a use was in a batch whose attempts all failed; it is kept and tried again.
             */
            failed: number;
            /**
             * Format: int64
             * @description Written before the answer, because too many waited.
             */
            fallbacks: number;
            /**
             * Format: int64
             * @description Written.
             */
            processed: number;
            /**
             * Format: int64
             * @description Uses to be written.
             */
            total: number;
        };
        /** @description What a subject has used today. */
        QuotaUsage: {
            /** @description `purchases` or `requests`. */
            kind: string;
            /**
             * Format: int64
             * @description Units left; `null` without a limit.
             */
            remaining?: number | null;
            /** @description The buyer or API client. */
            subject: string;
            /**
             * Format: int64
             * @description Units used, also what is not written yet.
             */
            used: number;
        };
        /** @description Quotas, as this instance knows them. */
        Quotas: {
            /** @description How this instance writes usage. */
            consumer: components["schemas"]["QuotaConsumer"];
            /** @description Of this instance, now. */
            health: components["schemas"]["QuotaHealth"];
            /** @description What one subject may use in a day. */
            limits: components["schemas"]["QuotaLimits"];
            /**
             * Format: date-time
             * @description When the next day begins.
             */
            resetsAt: string;
            /** @description Since this instance began. */
            statistics: components["schemas"]["QuotaStatistics"];
            usage?: components["schemas"]["QuotaUsage"] | null;
            /**
             * Format: int64
             * @description How many times the limits were changed.
             */
            version: number;
        };
        /** @description A change of the limits. */
        QuotasChanged: {
            /** @description What is, on every instance within a second. */
            after: components["schemas"]["QuotaLimits"];
            /** @description What was. */
            before: components["schemas"]["QuotaLimits"];
        };
        /** @description So many a second on average, and so many at once after a pause. */
        Rate: {
            /**
             * Format: int32
             * @description Requests at once.
             */
            burst: number;
            /** @description Is it applied? */
            enabled: boolean;
            /**
             * Format: int32
             * @description Requests a second, on average.
             */
            perSecond: number;
        };
        /** @description Changes of one rate. */
        RateDraft: {
            /**
             * Format: int64
             * @description Requests at once: 1 to 1000000.
             */
            burst?: number | null;
            /** @description Is it applied? */
            enabled?: boolean | null;
            /**
             * Format: int64
             * @description Requests a second, on average: 1 to 1000000.
             */
            perSecond?: number | null;
        };
        /** @description Counts in a second. */
        Rates: {
            /** Format: double */
            accepted: number;
            /** Format: double */
            asked: number;
            /**
             * Format: double
             * @description Orders written.
             */
            placed: number;
            /** Format: double */
            refused: number;
        };
        /** @description Able to admit? */
        Readiness: {
            /** @description Each of them; only with `?verbose`. */
            checks?: components["schemas"]["Check"][] | null;
            /** @description All checks together. */
            ready: boolean;
        };
        /** @description Why an operator does something. */
        Reason: {
            /** @description In the operator's words, at most 500 characters. Kept in the audit log. */
            reason?: string | null;
        };
        /** @description Gate and database, held against each other. */
        Reconciliation: {
            /**
             * Format: date-time
             * @description By the gate's clock.
             */
            at: string;
            /** @description Do the books balance? */
            balanced: boolean;
            /** @description What explains the differences, and what is odd without making one; at most 1,000. */
            findings: components["schemas"]["Finding"][];
            /** @description The ledger. After a repair: as it was before. */
            items: components["schemas"]["LedgerLine"][];
            /** @description Findings that are not listed. */
            more: number;
            /** @description Orders that they were held against. */
            orders: number;
            /** @description Records of the gate that were looked at. */
            records: number;
            /** @description Is it in the audit log? `false`: readiness does not know of it. */
            remembered: boolean;
            /**
             * Format: int32
             * @description The epoch that the sale was loaded in as the repair.
             */
            repairedInEpoch?: number | null;
            /** @description The sale. */
            sale: string;
        };
        /** @description What to do about a difference. */
        Repair: {
            /** @description Why, for the audit log. */
            reason?: string | null;
            /** @description `true`: load the sale again from the database if its books differ. */
            repair?: boolean;
        };
        /** @description The report. Purchases are as the gateways counted them, orders and money as the books have them. */
        Report: {
            /**
             * Format: int64
             * @description Those that got a job.
             */
            accepted: number;
            /**
             * Format: int64
             * @description Purchases answered: `accepted + repeated + refused`.
             */
            asked: number;
            busiestSecond?: components["schemas"]["BusiestSecond"] | null;
            /**
             * Format: int64
             * @description Buyers who hold an order, paid or not.
             */
            buyers: number;
            /**
             * Format: int64
             * @description Orders that their buyers cancelled.
             */
            cancelled: number;
            /**
             * Format: date-time
             * @description First moment after it.
             */
            closesAt: string;
            /**
             * Format: int64
             * @description Orders that were not paid in time.
             */
            expired: number;
            /** @description By position. */
            items: components["schemas"]["ReportItem"][];
            /**
             * Format: int64
             * @description Units by which the ledger does not balance, over all items, whichever way; absent while it cannot be read.
             */
            ledgerDifference?: number | null;
            /** @description `ledger`, while the gate does not answer or has forgotten the sale. */
            missing: string[];
            /**
             * Format: date-time
             * @description First moment of the window.
             */
            opensAt: string;
            /** @description `draft`, `scheduled`, `open`, `paused`, `soldOut` or `ended`. */
            phase: string;
            /**
             * Format: int64
             * @description Payments that were given back.
             */
            refunded: number;
            /** @description The others, by the code of the problem. */
            refused: {
                [key: string]: number;
            };
            /**
             * Format: int64
             * @description Jobs that became no order.
             */
            rejected: number;
            /**
             * Format: int64
             * @description Those whose token had its job before.
             */
            repeated: number;
            /** @description The sale. */
            sale: string;
            slowestMinute?: components["schemas"]["SlowestMinute"] | null;
            /**
             * Format: date-time
             * @description Since when nothing has been left of any item; absent while something is.
             */
            soldOutAt?: string | null;
            /** @description For people. */
            title: string;
        };
        /** @description An item, in units. */
        ReportItem: {
            /** @description Its name. */
            id: string;
            /**
             * Format: int64
             * @description In paid orders.
             */
            paid: number;
            /**
             * Format: int64
             * @description In orders that expired or were cancelled: for sale again.
             */
            returned: number;
            /** @description What the paid orders cost. */
            revenue: components["schemas"]["Money"];
            /**
             * Format: int64
             * @description In live orders: paid and unpaid.
             */
            sold: number;
            /**
             * Format: int64
             * @description In total.
             */
            stock: number;
            /** @description For people. */
            title: string;
            /**
             * Format: int64
             * @description In orders that wait for their payment.
             */
            unpaid: number;
        };
        /** @description A change of stock, done once for each id. */
        RestockDraft: {
            /**
             * Format: int64
             * @description Units: above 0 adds, below takes out; at most 100000000 either way.
             */
            delta: number;
            /**
             * @description The operator's name for this change: 1 to 64 letters, digits, `-`, `_` or `.`.
             * @example second-delivery
             */
            id: string;
            /** @description Which item. */
            item: string;
            /** @description Why, for the audit log. */
            reason?: string | null;
        };
        /** @description An item's stock after a change. */
        Restocked: {
            /** @description `false`: it was done by an earlier request with this id. */
            changed: boolean;
            /** @description The change. */
            id: string;
            /** @description The item. */
            item: string;
            /**
             * Format: int64
             * @description Units in total now.
             */
            stock: number;
        };
        /**
         * @description What a rule counts.
         * @enum {string}
         */
        RuleAction: "token" | "order" | "status" | "any";
        /**
         * @description How a rule counts.
         * @enum {string}
         */
        RuleAlgorithm: "sliding-window" | "gcra";
        /**
         * @description By what a rule counts.
         * @enum {string}
         */
        RuleSubject: "ip" | "buyer" | "sale" | "channel";
        /** @description A sale as shoppers see it. */
        Sale: {
            /**
             * Format: date-time
             * @description First moment at which none is accepted any more.
             */
            closesAt: string;
            /** @description Its name in paths. */
            id: string;
            /** @description What is sold. */
            items: components["schemas"]["Item"][];
            /**
             * Format: int32
             * @description Units that one buyer may hold in live orders, over all items.
             */
            limitPerBuyer: number;
            /**
             * Format: date-time
             * @description First moment at which a purchase is accepted.
             */
            opensAt: string;
            /** @description `scheduled`, `open`, `paused`, `soldOut` or `ended`. */
            phase: string;
            /** @description For people. */
            title: string;
            /**
             * Format: date-time
             * @description First moment at which tokens are issued. A page that fetches its token at a random moment between this and
             *     `opensAt` leaves the opening to one request.
             */
            tokensFrom: string;
        };
        /** @description One check. */
        SaleCheck: {
            /** @description What was found. */
            detail: string;
            /**
             * @description `database`, `redis`, `redis-settings`, `broker`, `consumers`, `queue-empty`, `clocks`, `limits`, `keys`, `warm`,
             *     `dry-run` or `reconcile`.
             */
            name: string;
            /** @description Is it well? */
            ok: boolean;
            /** @description What to do about it, in a sentence. */
            todo?: string | null;
        };
        /** @description Everything that was looked at. */
        SaleReadiness: {
            /**
             * Format: date-time
             * @description When, by this gateway's clock.
             */
            checkedAt: string;
            /** @description Each of them, always in this order. */
            checks: components["schemas"]["SaleCheck"][];
            /** @description All checks together. */
            ready: boolean;
        };
        /** @description All sales that shoppers may know of. */
        SalesBody: {
            /** @description Newest first. */
            sales: components["schemas"]["Sale"][];
        };
        /** @description What was found. */
        SearchResult: {
            /** @description The latest 20 at most; of a buyer newest first. */
            found: components["schemas"]["Found"][];
            /** @description What the answer does not say, and where else to look. */
            hints?: string[];
            /** @description What was looked for. */
            query: string;
        };
        /** @description A session. */
        Session: {
            /** @description To be sent as `X-CSRF-Token` with every write. */
            csrfToken: string;
            /**
             * Format: date-time
             * @description When the key is needed again.
             */
            expiresAt: string;
        };
        /** @description Whoever wants to sign in. */
        SignIn: {
            /** @description The admin key. */
            key: string;
        };
        /** @description A minute. */
        SlowestMinute: {
            /**
             * Format: int64
             * @description Purchases answered.
             */
            asked: number;
            /**
             * Format: date-time
             * @description Its beginning.
             */
            at: string;
            /**
             * Format: double
             * @description 99 of 100 purchases were answered within so many milliseconds.
             */
            p99Ms: number;
        };
        /** @description One thing that happened. */
        StoryLine: {
            /**
             * Format: date-time
             * @description When; absent where that is not known.
             */
            at?: string | null;
            /** @description More about it. */
            detail?: string | null;
            /**
             * @description `tokenIssued`, `admitted`, `published`, `placed`, `refused`, `paymentReceived`, `paid`, `cancelled`, `expired`,
             *     `refunded` or `deadLettered`.
             */
            what: string;
        };
        /** @description One kind of background work. */
        Tasks: {
            /**
             * Format: int64
             * @description With an error.
             */
            failed: number;
            /** @description At once. */
            max: number;
            /** @description Its kind. */
            name: string;
            /**
             * Format: int64
             * @description By a bug.
             */
            panicked: number;
            /** @description Now. */
            running: number;
            /**
             * Format: int64
             * @description Since the start.
             */
            succeeded: number;
            /** @description For their turn. */
            waiting: number;
        };
        /** @description The clock that decides about opening and closing. */
        TimeBody: {
            /**
             * Format: date-time
             * @description Now.
             */
            now: string;
        };
        /** @description A sale token. */
        TokenBody: {
            /**
             * Format: date-time
             * @description Not usable from then on, unless it was admitted before.
             */
            expiresAt: string;
            /**
             * Format: uuid
             * @description The job that a purchase with it becomes: even a client that lost every answer can ask for it.
             */
            jobId: string;
            /**
             * Format: date-time
             * @description Not usable before.
             */
            notBefore: string;
            /** @description What the purchase is sent with. Opaque. */
            token: string;
        };
        /** @description What a buyer may wish for with a token. */
        TokenWishes: {
            /** @description The solved challenge, as ALTCHA's widget hands it out (base64). Only looked at while one is asked for. */
            altcha?: string | null;
            /** @description The sales channel: 1 to 32 of a-z, 0-9 and `-`. A channel in the login wins. */
            channel?: string | null;
        };
        /** @description A sale in the gate. */
        Warmed: {
            /** @description `false`: it was there already, and nothing was changed. */
            changed: boolean;
            /**
             * Format: int32
             * @description How often it was loaded.
             */
            epoch: number;
            /** @description Its items. */
            items: components["schemas"]["Free"][];
        };
        /** @description Which letters, and how. A filter or `"all": true` has to be said. */
        Which: {
            /** @description `true`: every one. */
            all?: boolean;
            /** @description `true`: only say which it would be. */
            dryRun?: boolean;
            /** @description With this job. */
            job?: string | null;
            /** @description This one. */
            messageId?: string | null;
            /** @description Why, for the log. */
            reason?: string | null;
            /** @description With a job of this sale. */
            sale?: string | null;
            /** @description With this text in its reason. */
            why?: string | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
