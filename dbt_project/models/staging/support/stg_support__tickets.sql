{# One row per ticket of the help desk, in its newest version. #}

with

source as (

    select * from {{ source('raw_support', 'tickets') }}

),

renamed as (

    select
        {{ clean_text('ticket_id') }} as ticket_id,
        lower({{ clean_text('user_id') }}) as support_user_id,
        {{ clean_text('subject') }} as subject,
        lower({{ clean_text('channel') }}) as channel,
        lower({{ clean_text('status') }}) as status,
        lower({{ clean_text('priority') }}) as priority,
        lower({{ clean_text('satisfaction') }}) as satisfaction,
        {{ clean_text('order_id') }} as order_id,
        cast(created_at as timestamp) as created_at,
        cast(solved_at as timestamp) as solved_at,
        cast(updated_at as timestamp) as updated_at,
        {{ version_of('trim(ticket_id)') }} as version
    from source

),

deduplicated as (

    select {{ all_but(['version']) }} from renamed
    where version = 1

)

select * from deduplicated
