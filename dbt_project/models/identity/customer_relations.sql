{# One row per pair of customers and what they share without being one person. #}

with

identifiers as (

    select * from {{ ref('customer_identifiers') }}
    where identifier_type in ('email', 'phone', 'anonymous_id')

),

records as (

    select * from {{ ref('int_identity__records') }}

),

identity_map as (

    select * from {{ ref('identity_map') }}

),

{# The same family name at the same door. #}
addresses as (

    select
        identity_map.customer_id,
        {{ fold_name('records.last_name') }} as last_name,
        lower(trim(records.street)) as street,
        lower(trim(records.postcode)) as postcode
    from records
    inner join identity_map on records.record_key = identity_map.record_key
    where
        records.street is not null
        and records.postcode is not null
        and records.last_name is not null

),

claims as (

    select
        customer_id,
        case identifier_type when 'anonymous_id' then 'device' else identifier_type end as kind,
        identifier_value as shared_value
    from identifiers
    union
    select
        customer_id,
        'address' as kind,
        concat_ws('|', last_name, street, postcode) as shared_value
    from addresses

),

shared as (

    select
        kind,
        shared_value
    from claims
    group by kind, shared_value
    having count(*) between 2 and {{ var('household_customers') }}

),

final as (

    select
        one.customer_id,
        other.customer_id as other_customer_id,
        'shares_' || shared.kind as relation,
        count(*) as shared_values
    from shared
    inner join claims as one
        on shared.kind = one.kind and shared.shared_value = one.shared_value
    inner join claims as other
        on
            shared.kind = other.kind
            and shared.shared_value = other.shared_value
            and one.customer_id < other.customer_id
    group by one.customer_id, other.customer_id, shared.kind

)

select * from final
