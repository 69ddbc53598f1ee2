import { Expose, Type } from 'class-transformer';

export class AccountView {
  @Expose()
  id: string;

  @Expose()
  email: string;

  @Expose()
  name: string;

  @Expose()
  phone: string | null;

  @Expose()
  roles: string[];

  @Expose()
  createdAt: Date;
}

export class ResourceView {
  @Expose()
  id: string;

  @Expose()
  ownerId: string;

  @Expose()
  title: string;

  @Expose()
  body: string;

  @Expose()
  visibility: string;

  @Expose()
  note: string | null;

  @Expose()
  version: number;

  @Expose()
  createdAt: Date;

  @Expose()
  updatedAt: Date;
}

export class ResourceListView {
  @Expose()
  @Type(() => ResourceView)
  items: ResourceView[];

  @Expose()
  nextCursor: string | null;

  @Expose()
  previousCursor: string | null;
}
