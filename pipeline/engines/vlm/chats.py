"""Conversations in the decoder: begun, followed piece by piece, ended."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pipeline.engines.chat import Chat, ChatEnd, Finish
from pipeline.engines.vlm.loaded_model import LoadedModel, Started, StartedChat

if TYPE_CHECKING:
    from pipeline.engines.vlm.decode import Generation

MIN_ANSWER_TOKENS = 1


def begin_chat(chat: Chat, loaded: LoadedModel, memory: int) -> None:
    """Give a conversation to the decoder, or end it with the reason why it has no answer.

    ``memory`` is the number of tokens that the KV cache may hold. An answer's limit is lowered to what fits.
    """
    from pipeline.engines.vlm.decode import DecodeTask
    from pipeline.engines.vlm.speculation import Draft

    if chat.cancelled:
        chat.listen(ChatEnd(error="cancelled"))
        return
    request = chat.request
    try:
        encode = partial(loaded.chat.encode_chat, request.messages)
        encoded = encode()
        room = min(loaded.context, memory) - encoded.tokens
        if room < MIN_ANSWER_TOKENS:
            message = f"the messages have {encoded.tokens:,} tokens, of {encoded.tokens + room:,} that fit into the context"
            chat.listen(ChatEnd(error=message, code="context_length_exceeded"))
            return
        constraint = None if request.schema is None else loaded.grammars.start(request.schema)
        text = "\n".join(message.text for message in request.messages)
        task: DecodeTask[Started] = DecodeTask(
            StartedChat(chat),
            encoded,
            min(request.limit, room),
            constraint,
            request.temperature,
            request.seed,
            Draft(loaded.chat.tokenizer, text),
            encode,
            partial(_follow, chat, loaded),
        )
    except ValueError as error:  # a schema that cannot be compiled, roles that the model has not
        chat.listen(ChatEnd(error=str(error)[:500], code="invalid_value"))
        return
    except Exception as error:  # an error costs one conversation, never the run
        chat.listen(ChatEnd(error=f"{type(error).__name__}: {error}"[:500]))
        return
    loaded.decoder.submit(task)


def _follow(chat: Chat, loaded: LoadedModel, tokens: Sequence[int]) -> bool:
    """Pass on new text. Returns whether the answer is to end: at a stop text, or because its reader has gone."""
    return chat.cancelled or chat.more(loaded.text(tokens), final=False)


def end_chat(started: StartedChat, generation: Generation[Any], loaded: LoadedModel) -> None:
    """Pass on the rest of an answer and its end."""
    chat = started.chat
    if generation.ending == "broken":
        chat.listen(ChatEnd(error=generation.error))
        return
    stopped = chat.more(loaded.text(generation.tokens), final=True)
    finish: Finish = "stop" if stopped or generation.ending == "complete" else "length"
    chat.listen(ChatEnd(finish, generation.prompt_tokens, len(generation.tokens)))
