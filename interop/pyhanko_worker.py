"""Signs and validates PDF files with pyHanko for the tests of this folder.

One request is one line of JSON on standard input, one answer one line of JSON on
standard output: {"ok": true, ...} or {"ok": false, "error": "..."}. The first line
written is {"ok": true, "pyhanko": VERSION}. The program ends with its input.
"""

import asyncio
import ctypes
import json
import logging
import sys
import traceback
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.metadata import version
from io import BytesIO

from asn1crypto import crl, ocsp, pem, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.crypt import AuthStatus
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.timestamps import HTTPTimeStamper
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    PdfSignatureStatus,
    async_add_validation_info,
    async_validate_pdf_signature,
)
from pyhanko.sign.validation.ades import (
    ades_basic_validation,
    ades_lta_validation,
    ades_with_time_validation,
)
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import (
    REQUIRE_REVINFO,
    CertRevTrustPolicy,
    FreshnessReqType,
)
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

# A short reply from a loopback service takes milliseconds; a stuck one is a defect.
TSA_TIMEOUT = 20


@lru_cache
def root_of(path):
    with open(path, "rb") as f:
        data = f.read()
    if pem.detect(data):
        _, _, data = pem.unarmor(data)
    return x509.Certificate.load(data)


@lru_cache
def signer_of(p12, password):
    found = signers.SimpleSigner.load_pkcs12(p12, passphrase=password.encode())
    if found is None:
        raise ValueError(f"pyHanko cannot open {p12}")
    return found


def context(root, local=False):
    """Revocation data is required where a certificate names a place to get it; not
    when only integrity and later changes are asked for (local)."""
    if local:
        return ValidationContext(trust_roots=[root_of(root)], allow_fetching=False)
    return ValidationContext(
        trust_roots=[root_of(root)],
        allow_fetching=True,
        revocation_mode="hard-fail",
        time_tolerance=timedelta(seconds=10),
    )


async def sign(r):
    signer = signer_of(r["p12"], r["password"])
    level = r["level"]
    stamper = HTTPTimeStamper(r["tsa"], timeout=TSA_TIMEOUT) if level != "B-B" else None
    one_step = level == "B-LT" and r.get("one_step", False)
    meta = signers.PdfSignatureMetadata(
        field_name=r["field"],
        subfilter=fields.SigSeedSubFilter.PADES,
        md_algorithm="sha256",
        embed_validation_info=one_step,
        validation_context=context(r["root"]) if one_step else None,
    )
    box = (300, 100, 480, 160) if r.get("visible") else None
    spec = fields.SigFieldSpec(r["field"], box=box)
    with open(r["in"], "rb") as source:
        writer = IncrementalPdfFileWriter(source, strict=False)
        signed = await signers.PdfSigner(
            meta, signer, timestamper=stamper, new_field_spec=spec
        ).async_sign_pdf(writer)
    if level == "B-LT" and not one_step:
        # The revocation data is fetched after the time-stamp, as it should be.
        reader = PdfFileReader(signed, strict=False)
        embedded = [s for s in reader.embedded_signatures if s.field_name == r["field"]][0]
        signed = await async_add_validation_info(embedded, context(r["root"]))
    with open(r["out"], "wb") as out:
        out.write(signed.getvalue())
    return {}


def describe(status):
    stamp = status.timestamp_validity
    level = status.modification_level
    return {
        "intact": status.intact,
        "valid": status.valid,
        "trusted": status.trusted,
        "bottom_line": status.bottom_line,
        "coverage": status.coverage.name,
        "modifications": level.name if level is not None else "",
        "docmdp_ok": bool(status.docmdp_ok),
        "problem": str(status.trust_problem_indic or ""),
        "timestamp": None
        if stamp is None
        else {"valid": stamp.valid and stamp.intact, "trusted": stamp.trusted},
    }


def knowledge(reader):
    """What the document security store holds."""
    try:
        dss = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return LocalKnowledge()
    responses = [ocsp.OCSPResponse.load(x.get_object().data) for x in dss.ocsps]
    return LocalKnowledge(
        known_ocsps=[c for r in responses for c in OCSPContainer.load_multi(r)],
        known_crls=[CRLContainer(crl.CertificateList.load(x.get_object().data)) for x in dss.crls],
        known_certs=list(dss.load_certs()),
    )


async def judge_by_standard(
    embedded, reader, root, archival, at=None, online=False, basic=False
):
    """The process for signatures with time and long-term material (EN 319 102-1, 5.5),
    that for archival material (5.6) when archival is true, or the basic one (5.3) when
    basic is.

    Only what the document holds counts, unless online, and revocation data is required
    for every certificate. The judgement is as of the time at, None for now. The process for archival material is of no use for a file without a
    document time-stamp: there it always ends with NO_POE, for pyHanko's own files too.
    """
    spec = SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(
            trust_manager=SimpleTrustManager.build(trust_roots=[root_of(root)]),
            revinfo_policy=CertRevTrustPolicy(
                REQUIRE_REVINFO,
                freshness_req_type=FreshnessReqType.MAX_DIFF_REVOCATION_VALIDATION,
            ),
        ),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(
            online_fetching_rule=RevinfoOnlineFetchingRule.ALWAYS_FETCH
            if online
            else RevinfoOnlineFetchingRule.LOCAL_ONLY
        ),
        local_knowledge=knowledge(reader),
    )
    timing = None
    if at is not None:
        timing = ValidationTimingInfo(
            validation_time=at, best_signature_time=at, point_in_time_validation=False
        )
    if archival:
        result = await ades_lta_validation(
            embedded, PdfSignatureValidationSpec(signature_validation_spec=spec), timing
        )
    elif basic:  # it knows nothing of PDF, and so of later changes
        result = await ades_basic_validation(
            embedded.signed_data, spec, timing, raw_digest=embedded.compute_digest()
        )
        return {"indication": str(result.ades_subindic), "why": result.failure_msg or ""}
    else:
        embedded.compute_integrity_info()
        result = await ades_with_time_validation(
            embedded.signed_data,
            spec,
            timing,
            raw_digest=embedded.compute_digest(),
            extra_status_kwargs=embedded.summarise_integrity_info(),
            status_cls=PdfSignatureStatus,
        )
    one = describe(result.api_status) if result.api_status is not None else {}
    one["indication"] = str(result.ades_subindic)
    one["why"] = result.failure_msg or ""
    return one


async def validate(r):
    found = []
    with open(r["file"], "rb") as f:
        reader = PdfFileReader(f, strict=r.get("strict", False))
        if reader.encrypted and reader.decrypt(r.get("password", "")).status == AuthStatus.FAILED:
            raise ValueError("pyHanko cannot open the encrypted file")
        for s in reader.embedded_regular_signatures:
            if r.get("at"):
                at = datetime.fromisoformat(r["at"])
                one = await judge_by_standard(
                    s, reader, r["root"], r["archival"], at, not r["offline"], r["basic"]
                )
            elif r.get("offline"):
                one = await judge_by_standard(s, reader, r["root"], r.get("archival", False))
            else:
                vc = context(r["root"], r.get("local", False))
                one = describe(await async_validate_pdf_signature(s, vc, vc))
            one["field"] = s.field_name
            found.append(one)
    return {"signatures": found}


async def archive(r):
    """Adds validation data for every signature and a document time-stamp."""
    with open(r["in"], "rb") as source:
        signed = await PdfTimeStamper(
            HTTPTimeStamper(r["tsa"], timeout=TSA_TIMEOUT)
        ).async_update_archival_timestamp_chain(
            PdfFileReader(BytesIO(source.read()), strict=False), context(r["root"])
        )
        with open(r["out"], "wb") as out:
            out.write(signed.getvalue())
    return {}


def field_of(fields, name):
    """The dictionary of a text field without a parent."""
    for one in (f.get_object() for f in fields):
        if one.get("/T") == name:
            return one
    raise ValueError(f"no field {name}")


async def fill(r):
    """Fills a text field with pyHanko, its look included."""
    with open(r["in"], "rb") as source:
        writer = IncrementalPdfFileWriter(source, strict=False)
        field = field_of(writer.root["/AcroForm"]["/Fields"], r["field"])
        left, bottom, right, top = (float(x) for x in field["/Rect"])
        look = generic.StreamObject(
            {
                pdf_name("/Type"): pdf_name("/XObject"),
                pdf_name("/Subtype"): pdf_name("/Form"),
                pdf_name("/BBox"): generic.ArrayObject(
                    [generic.FloatObject(x) for x in (0, 0, right - left, top - bottom)]
                ),
                pdf_name("/Resources"): generic.DictionaryObject(),
            },
            stream_data=b"/Tx BMC q 1 0 0 1 2 2 cm 0 0 5 5 re S Q EMC",
        )
        field["/V"] = generic.pdf_string(r["value"])
        field["/AP"] = generic.DictionaryObject({pdf_name("/N"): writer.add_object(look)})
        writer.update_container(field)
        with open(r["out"], "wb") as out:
            writer.write(out)
    return {}


async def fill_pdfium(r):
    """Fills the text fields of the first page with PDFium, the engine of Chromium's
    viewer, and appends what changed."""
    import pypdfium2
    import pypdfium2.raw as raw

    doc = pypdfium2.PdfDocument(r["in"])
    doc.init_forms()
    page, text = doc[0], r["value"].encode("utf-16-le") + b"\0\0"
    buffer = (ctypes.c_ushort * (len(text) // 2)).from_buffer_copy(text)
    for i in range(raw.FPDFPage_GetAnnotCount(page)):
        note = raw.FPDFPage_GetAnnot(page, i)
        kind = raw.FPDFAnnot_GetFormFieldType(doc.formenv, note)
        if kind == raw.FPDF_FORMFIELD_TEXTFIELD:
            raw.FORM_SetFocusedAnnot(doc.formenv, note)
            raw.FORM_SelectAllText(doc.formenv, page)
            raw.FORM_ReplaceSelection(doc.formenv, page, buffer)
            raw.FORM_ForceToKillFocus(doc.formenv)
    doc.save(r["out"], flags=raw.FPDF_INCREMENTAL)
    return {}


COMMANDS = {
    "sign": sign,
    "validate": validate,
    "archive": archive,
    "fill": fill,
    "fill_pdfium": fill_pdfium,
}


async def answer(line):
    request = json.loads(line)
    try:
        return {"ok": True, **await COMMANDS[request["command"]](request)}
    except Exception as e:  # every failure is an answer: the other side decides
        where = traceback.extract_tb(e.__traceback__)[-1]
        return {"ok": False, "error": f"{type(e).__name__}: {e} ({where.name}:{where.lineno})"}


def main():
    logging.disable(logging.CRITICAL)
    out = sys.stdout
    sys.stdout = sys.stderr  # nothing but answers on the line
    print(json.dumps({"ok": True, "pyhanko": version("pyHanko")}), file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(asyncio.run(answer(line))), file=out, flush=True)


if __name__ == "__main__":
    main()
