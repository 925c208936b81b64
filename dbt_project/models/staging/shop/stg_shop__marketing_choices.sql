{# One row per time that the marketing box of an account changed: other edits are no choice. #}

with

source as (

    select * from {{ source('raw_shop', 'accounts') }}

),

renamed as (

    select
        cast(user_id as string) as user_id,
        coalesce(accepts_marketing, false) as accepts_marketing,
        cast(created_at as timestamp) as created_at,
        cast(updated_at as timestamp) as updated_at,
        lag(coalesce(accepts_marketing, false)) over (
            partition by user_id
            order by updated_at asc nulls last, _dlt_load_id asc nulls last, origin desc
        ) as accepted_before
    from source

),

{# The first version known says what was chosen when the account was opened. #}
changed as (

    select
        user_id,
        accepts_marketing,
        case
            when accepted_before is null then coalesce(created_at, updated_at)
            else updated_at
        end as decided_at
    from renamed
    where accepted_before is distinct from accepts_marketing

)

select * from changed
