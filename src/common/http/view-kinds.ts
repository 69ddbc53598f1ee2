// What fields of views are of, where an input has nothing to say to it: for `@ViewField(...)`.

export const id = { type: 'string', format: 'uuid' } as const;
export const time = { type: 'string', format: 'date-time' } as const;
export const text = { type: 'string' } as const;
export const maybe = { nullable: true } as const;
