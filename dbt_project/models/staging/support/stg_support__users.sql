{# One row per user of the help desk, in its newest version. #}

with

source as (

    select * from {{ source('raw_support', 'users') }}

),

renamed as (

    select
        lower({{ clean_text('user_id') }}) as support_user_id,
        {{ clean_text('name') }} as full_name,
        {{ normalise_email('email') }} as email,
        {{ clean_text('phone') }} as phone,
        cast(created_at as timestamp) as created_at,
        cast(updated_at as timestamp) as updated_at,
        row_number() over (
            partition by lower(trim(user_id)) order by updated_at desc, _dlt_load_id desc
        ) as version
    from source

),

deduplicated as (

    select
        support_user_id,
        full_name,
        email,
        phone,
        created_at,
        updated_at
    from renamed
    where version = 1

)

select * from deduplicated
