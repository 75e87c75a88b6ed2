export const fromFields = (f) => Object.assign(new Error(f.message), f);
