{# One row per record that can carry a name or an address: what a source wrote down of a person. #}

with

accounts as (

    select * from {{ ref('stg_shop__accounts') }}

),

order_lines as (

    select * from {{ ref('stg_shop__order_lines') }}
    where user_id is not null

),

guests as (

    select * from {{ ref('stg_shop__order_contacts') }}

),

contacts as (

    select * from {{ ref('stg_crm__contacts') }}

),

email_profiles as (

    select * from {{ ref('stg_email__profiles') }}

),

support_users as (

    select * from {{ ref('stg_support__users') }}

),

social_profiles as (

    select * from {{ ref('stg_social__profiles') }}

),

buyers as (

    select
        user_id,
        max(country) as country,
        min(ordered_at) as first_seen_at,
        max(ordered_at) as last_seen_at
    from order_lines
    group by user_id

),

known as (

    select
        'shop:account:' || coalesce(accounts.user_id, buyers.user_id) as record_key,
        'shop' as source,
        coalesce(accounts.user_id, buyers.user_id) as source_key,
        accounts.first_name,
        accounts.last_name,
        accounts.email,
        accounts.phone,
        cast(null as date) as birth_date,
        cast(null as string) as gender,
        accounts.street,
        accounts.city,
        accounts.postcode,
        coalesce(accounts.country, buyers.country) as country,
        coalesce(accounts.created_at, buyers.first_seen_at) as first_seen_at,
        coalesce(accounts.updated_at, buyers.last_seen_at) as seen_at
    from accounts
    full outer join buyers on accounts.user_id = buyers.user_id
    union all
    select
        'shop:order:' || order_id as record_key,
        'shop' as source,
        order_id as source_key,
        first_name,
        last_name,
        email,
        phone,
        null as birth_date,
        null as gender,
        street,
        city,
        postcode,
        country,
        ordered_at as first_seen_at,
        ordered_at as seen_at
    from guests
    union all
    select
        'crm:contact:' || contact_id as record_key,
        'crm' as source,
        contact_id as source_key,
        first_name,
        last_name,
        email,
        phone,
        birth_date,
        gender,
        street,
        city,
        postcode,
        country,
        created_at as first_seen_at,
        updated_at as seen_at
    from contacts

),

{# Tools know where to write to, not where somebody lives; two keep the name in one field. #}
reached as (

    select
        'email:profile:' || profile_id as record_key,
        'email' as source,
        profile_id as source_key,
        first_name,
        last_name,
        email,
        phone,
        country,
        created_at as first_seen_at,
        updated_at as seen_at
    from email_profiles
    union all
    select
        'support:user:' || support_user_id as record_key,
        'support' as source,
        support_user_id as source_key,
        {{ first_word('full_name') }} as first_name,
        {{ other_words('full_name') }} as last_name,
        email,
        phone,
        null as country,
        created_at as first_seen_at,
        updated_at as seen_at
    from support_users
    union all
    select
        'social:profile:' || social_handle as record_key,
        'social' as source,
        social_handle as source_key,
        {{ first_word('display_name') }} as first_name,
        {{ other_words('display_name') }} as last_name,
        email,
        null as phone,
        null as country,
        updated_at as first_seen_at,
        updated_at as seen_at
    from social_profiles

),

final as (

    select * from known
    union all
    select
        record_key,
        source,
        source_key,
        first_name,
        last_name,
        email,
        phone,
        null as birth_date,
        null as gender,
        null as street,
        null as city,
        null as postcode,
        country,
        first_seen_at,
        seen_at
    from reached

)

select * from final
